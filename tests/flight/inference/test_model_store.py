import dataclasses
import errno
import os
from pathlib import Path

import msgspec
import pytest

from flight.inference.model_manifest import ModelError, bundle_of
from flight.inference.model_registry import ModelRegistry
from flight.inference.model_slots import FACTORY, ModelSlots, accept, stage, vacate
from flight.inference.model_store import ModelStore

FP32, INT8 = (ModelRegistry().load("cloud_unet", each) for each in ("fp32", "int8"))


def store(folder):
    return ModelStore(folder / "models", FP32)


def damage(path, at=5000):
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 16
    path.write_bytes(data)


def of_version(version):
    return dataclasses.replace(
        INT8, manifest=msgspec.structs.replace(INT8.manifest, version=version)
    )


class CutError(Exception):
    """The power went."""


def fails_from(monkeypatch, owner, name, nth, error, times=1):
    """Of calls of ``owner.name`` from the nth on so many raise; returns how many came."""
    real, calls = getattr(owner, name), []

    def failing(*args, **kwargs):
        calls.append(args)
        if nth <= len(calls) < nth + times:
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, failing)
    return calls


FULL = OSError(errno.ENOSPC, "No space left on device")
ALWAYS = 1_000


def test_the_factory_model_has_two_copies_in_the_data_folder(tmp_path):
    store(tmp_path)
    for copy in (1, 2):
        assert (tmp_path / "models" / f"factory-{copy}.lmdl").read_bytes() == bundle_of(FP32)


@pytest.mark.parametrize("copy", [1, 2])
def test_a_damaged_copy_is_written_again_from_the_other_one_and_told(tmp_path, copy):
    kept = store(tmp_path)
    kept.write("a", bundle_of(INT8))
    path = tmp_path / "models" / f"a-{copy}.lmdl"
    damage(path)
    assert kept.load("a").data == INT8.data
    assert path.read_bytes() == bundle_of(INT8)
    assert len(kept.mended) == 1
    assert path.name in kept.mended[0]


def test_with_both_copies_damaged_the_slot_is_empty_but_the_factory_s_never_is(tmp_path):
    kept = store(tmp_path)
    kept.write("a", bundle_of(INT8))
    for slot in ("a", FACTORY):
        for copy in (1, 2):
            damage(tmp_path / "models" / f"{slot}-{copy}.lmdl")
    with pytest.raises(ModelError, match=r"slot a: a-1\.lmdl"):
        kept.load("a")
    assert kept.load(FACTORY).data == FP32.data


def test_an_empty_slot_says_so(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        store(tmp_path).load("b")


def test_the_second_copy_of_what_flies_is_found_by_its_hash(tmp_path):
    kept = store(tmp_path)
    kept.write("b", bundle_of(INT8))
    damage(tmp_path / "models" / "b-1.lmdl")
    assert kept.other_copy(INT8).data == INT8.data
    assert kept.other_copy(FP32).data == FP32.data
    stranger = dataclasses.replace(INT8, sha256="0" * 64)
    assert kept.other_copy(stranger) is None


def test_the_record_survives_a_start_and_one_damaged_copy(tmp_path):
    slots = accept(stage(ModelSlots()))
    store(tmp_path).write_record(slots)
    assert store(tmp_path).slots == slots
    damage(tmp_path / "models" / "slots-1", 3)
    again = store(tmp_path)
    assert again.slots == slots
    assert "slots-1" in again.mended[0]


def test_a_record_cut_between_its_two_copies_is_the_newer_one(tmp_path):
    first, second = stage(ModelSlots()), accept(stage(ModelSlots()))
    kept = store(tmp_path)
    kept.write_record(first)
    old = (tmp_path / "models" / "slots-2").read_bytes()
    kept.write_record(second)
    (tmp_path / "models" / "slots-2").write_bytes(old)
    assert store(tmp_path).slots == second


def test_without_a_good_record_the_factory_model_flies(tmp_path):
    kept = store(tmp_path)
    kept.write_record(accept(stage(ModelSlots())))
    for copy in (1, 2):
        damage(tmp_path / "models" / f"slots-{copy}", 2)
    assert store(tmp_path).slots.active == FACTORY


def test_a_later_software_brings_its_own_factory_model(tmp_path):
    store(tmp_path)
    manifest = msgspec.structs.replace(FP32.manifest, version="9.9")
    later = dataclasses.replace(FP32, manifest=manifest)
    kept = ModelStore(tmp_path / "models", later)
    assert kept.load(FACTORY).manifest.version == "9.9"


def test_starting_over_flies_the_factory_model_and_that_holds(tmp_path):
    kept = store(tmp_path)
    kept.write("a", bundle_of(INT8))
    kept.write_record(accept(stage(ModelSlots())))
    kept.start_over()
    assert kept.slots.active == store(tmp_path).slots.active == FACTORY
    assert store(tmp_path).slots.former == "a"


def test_where_the_software_s_own_model_is_damaged_the_kept_one_stands_in(tmp_path):
    folder = tmp_path / "models"
    assert ModelStore(folder, None).survivor() is None
    kept = store(tmp_path)
    assert ModelStore(folder, None).survivor().data == FP32.data
    kept.write("a", bundle_of(INT8))
    kept.write_record(accept(stage(ModelSlots())))
    assert ModelStore(folder, None).survivor().data == INT8.data
    for copy in (1, 2):
        damage(folder / f"a-{copy}.lmdl")
    again = ModelStore(folder, None)
    assert again.survivor().data == FP32.data
    for copy in (1, 2):
        damage(folder / f"factory-{copy}.lmdl")
    assert again.survivor() is None
    with pytest.raises(ModelError, match=r"slot factory: factory-1\.lmdl"):
        again.load(FACTORY)


def test_what_came_up_is_kept_octet_by_octet_with_its_signature(tmp_path):
    kept = store(tmp_path)
    signed = bundle_of(INT8, bytes(range(64)))
    kept.write("a", signed)
    assert kept.bundle("a") == signed
    damage(tmp_path / "models" / "a-1.lmdl")
    assert kept.bundle("a") == signed


def flying(folder):
    """Version 2 flies from slot a, version 1 in slot b is the way back."""
    kept = store(folder)
    slots = ModelSlots(active="a", former="b", count=4)
    kept.write("a", bundle_of(of_version("2")))
    kept.write("b", bundle_of(of_version("1")))
    kept.write_record(slots)
    return kept, slots


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_cut_while_a_slot_is_written_leaves_no_record_that_names_it(tmp_path, monkeypatch, call):
    owner = {"replace": Path, "fsync": os}[call]
    for nth in range(1, 10):
        kept, slots = flying(tmp_path)
        with monkeypatch.context() as patch:
            fails_from(patch, owner, call, nth, CutError(), ALWAYS)
            try:
                kept.write("b", bundle_of(of_version("3")), vacate(slots, "b"))
            except CutError:
                pass
            else:
                break
        again = store(tmp_path)
        assert again.load(again.slots.active).manifest.version == "2"
        way_back = again.load(again.slots.former).manifest.version
        assert way_back in {"1", FP32.manifest.version}
        assert again.slots.staged == ""
    assert nth > 4


def test_without_the_record_first_a_cut_would_make_an_untried_model_the_way_back(
    tmp_path, monkeypatch
):
    kept, _ = flying(tmp_path)
    with monkeypatch.context() as patch:
        fails_from(patch, Path, "replace", 2, CutError(), ALWAYS)
        with pytest.raises(CutError):
            kept.write("b", bundle_of(of_version("3")))
    again = store(tmp_path)
    assert again.load(again.slots.former).manifest.version == "3"


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_medium_that_is_full_changes_nothing_of_slot_or_record(tmp_path, monkeypatch, nth):
    kept, slots = flying(tmp_path)
    with monkeypatch.context() as patch:
        fails_from(patch, os, "fsync", nth, FULL)
        with pytest.raises(OSError, match="No space"):
            kept.write("b", bundle_of(of_version("3")), vacate(slots, "b"))
    for again in (kept, store(tmp_path)):
        assert (again.slots.active, again.slots.former) == ("a", "b")
        assert again.load("b").manifest.version == "1"
    assert list((tmp_path / "models").glob("*.lmdl.new")) == []


def test_a_record_that_was_not_durable_is_not_in_force_after_a_start(tmp_path, monkeypatch):
    kept, slots = flying(tmp_path)
    with monkeypatch.context() as patch:
        fails_from(patch, os, "fsync", 2, FULL)
        with pytest.raises(OSError, match="No space"):
            kept.write_record(stage(slots))
    assert kept.slots == slots
    assert store(tmp_path).slots == slots


def test_where_the_medium_takes_nothing_the_software_s_own_model_flies(tmp_path, monkeypatch):
    store(tmp_path)
    manifest = msgspec.structs.replace(FP32.manifest, version="9.9")
    later = dataclasses.replace(FP32, manifest=manifest)
    with monkeypatch.context() as patch:
        fails_from(patch, os, "fsync", 1, FULL, ALWAYS)
        kept = ModelStore(tmp_path / "models", later)
    assert kept.load(FACTORY).manifest.version == "9.9"
    assert "in vain: No space" in kept.mended[0]


def test_where_a_copy_cannot_be_written_again_the_good_one_serves_alone(tmp_path, monkeypatch):
    kept = store(tmp_path)
    kept.write("a", bundle_of(INT8))
    damage(tmp_path / "models" / "a-1.lmdl")
    with monkeypatch.context() as patch:
        fails_from(patch, os, "fsync", 1, FULL, ALWAYS)
        assert kept.load("a").data == INT8.data
    assert "in vain: No space" in kept.mended[0]


def test_the_second_copy_of_what_flies_has_the_same_manifest(tmp_path):
    kept = store(tmp_path)
    kept.write("a", bundle_of(of_version("1")))
    assert kept.other_copy(of_version("1")).manifest.version == "1"
    assert kept.other_copy(of_version("2")) is None


@pytest.mark.parametrize("copy", [1, 2])
def test_a_copy_of_the_record_that_is_damaged_missing_or_older_is_written_again(tmp_path, copy):
    path, other = (tmp_path / "models" / f"slots-{each}" for each in (copy, 3 - copy))
    kept, slots = flying(tmp_path)
    older = path.read_bytes()
    slots = stage(slots)
    kept.write_record(slots)
    good = path.read_bytes()
    for spoil in (lambda: damage(path, 3), path.unlink, lambda: path.write_bytes(older)):
        spoil()
        again = store(tmp_path)
        assert path.read_bytes() == other.read_bytes() == good
        assert (again.slots, len(again.mended)) == (slots, 1)
        assert path.name in again.mended[0]


def test_a_new_folder_has_no_record_to_mend(tmp_path):
    assert store(tmp_path).mended == []
