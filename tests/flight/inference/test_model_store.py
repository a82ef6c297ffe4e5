import dataclasses

import msgspec
import pytest

from flight.inference.model_deck import FACTORY, ModelSlots, accept, stage
from flight.inference.model_manifest import ModelError, bundle_of
from flight.inference.model_registry import ModelRegistry
from flight.inference.model_store import ModelStore

FP32, INT8 = (ModelRegistry().load("cloud_unet", each) for each in ("fp32", "int8"))


def store(folder):
    return ModelStore(folder / "models", FP32)


def damage(path, at=5000):
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 16
    path.write_bytes(data)


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
