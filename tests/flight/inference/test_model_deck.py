import dataclasses
import errno

import msgspec
import pytest

from flight.commanding.loadable import LoadVerdict
from flight.inference.job import BANDS
from flight.inference.model_deck import FAILURES_MAX, REASON_CHARS_MAX, ModelDeck
from flight.inference.model_manifest import (
    InputLayout,
    ModelError,
    bundle_of,
    layout_fault,
    unpack_bundle,
)
from flight.inference.model_registry import ModelRegistry
from flight.inference.model_slots import ModelSlots
from flight.inference.model_store import ModelStore
from flight.model_keys import is_signed, public_of, sign

FP32, INT8 = (ModelRegistry().load("cloud_unet", each) for each in ("fp32", "int8"))
PRIVATE = bytes(range(32))


def signed(model, private=PRIVATE):
    part = unpack_bundle(bundle_of(model)).signed
    return bundle_of(model, sign(private, part))


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


class Bench:
    def __init__(self, folder, companions=(FP32,)):
        self.folder, self.companions = folder, companions
        self.told = []
        self.start()

    def start(self):
        self.store = ModelStore(self.folder / "models", FP32)
        self.deck = ModelDeck(
            self.store,
            self.companions,
            signed_by=lambda signature, part: is_signed(public_of(PRIVATE), signature, part),
            fits=self.fits,
            tell=lambda name, **args: self.told.append((name, args)),
        )
        return self.deck

    @staticmethod
    def fits(model):
        fault = layout_fault(model.manifest, BANDS)
        if fault:
            raise ModelError(fault)

    def names(self):
        return [name for name, _ in self.told]

    def fly(self, model):
        assert self.deck.activate(signed(model), 1) is LoadVerdict.OK
        self.deck.accept(self.deck.candidate())
        self.deck.exchanged()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_signed_model_is_kept_waits_for_its_trial_and_then_flies(bench):
    deck = bench.deck
    deck.exchanged()
    assert deck.validate(signed(INT8)) is LoadVerdict.OK
    assert not deck.waiting
    assert deck.activate(signed(INT8), 1) is LoadVerdict.OK
    assert deck.waiting
    assert deck.flown.data == FP32.data
    candidate = deck.candidate()
    assert candidate.data == INT8.data
    deck.accept(candidate)
    assert deck.flown.data == INT8.data
    assert [m.variant for m in deck.crew] == ["int8", "fp32"]
    assert bench.names() == ["MODEL_STAGED", "MODEL_ACTIVATED"]
    assert deck.dump() == signed(INT8)
    assert deck.validate(deck.dump()) is LoadVerdict.OK


def test_what_flies_and_what_waits_survive_a_reset(bench):
    bench.fly(INT8)
    assert bench.start().flown.data == INT8.data
    assert bench.deck.activate(signed(FP32), 2) is LoadVerdict.OK
    assert bench.start().candidate().data == FP32.data
    assert bench.deck.flown.data == INT8.data


@pytest.mark.parametrize(
    ("load", "verdict", "reason"),
    [
        (b"no bundle", LoadVerdict.UNREADABLE, "no model bundle"),
        (bundle_of(INT8), LoadVerdict.REFUSED, "not signed"),
        (signed(INT8, bytes(32)), LoadVerdict.REFUSED, "not signed"),
        (signed(INT8)[:-1] + b"\0", LoadVerdict.UNREADABLE, "CRC"),
    ],
)
def test_a_load_that_is_not_acceptable_is_refused_with_the_reason_and_changes_nothing(
    bench, load, verdict, reason
):
    before = bench.store.slots
    assert bench.deck.validate(load) is verdict
    assert bench.deck.activate(load, 1) is verdict
    assert reason in bench.told[0][1]["reason"]
    assert bench.store.slots == before
    assert bench.deck.flown.data == FP32.data


def test_a_model_with_the_wrong_inputs_is_refused_before_it_is_kept(bench):
    manifest = msgspec.structs.replace(
        INT8.manifest, input=InputLayout("NCHW float32", ("B2", "B99"), 10_000, 4)
    )
    strange = signed(dataclasses.replace(INT8, manifest=manifest))
    assert bench.deck.validate(strange) is LoadVerdict.REFUSED
    assert "B99" in bench.told[0][1]["reason"]


def test_a_model_with_the_wrong_hash_is_refused(bench):
    data = bytearray(bundle_of(dataclasses.replace(INT8, data=INT8.data[:-1] + b"\1")))
    assert bench.deck.validate(bytes(data)) is LoadVerdict.UNREADABLE
    assert "SHA-256 expected" in bench.told[0][1]["reason"]


def test_a_model_that_fails_its_trial_is_gone_and_the_old_one_flies_on(bench):
    bench.deck.activate(signed(INT8), 1)
    assert bench.deck.candidate().data == INT8.data
    bench.deck.refuse("cloud_unet", "golden tile: answer is not the manifest's")
    assert bench.deck.flown.data == FP32.data
    assert bench.deck.candidate() is None
    assert bench.told[-1] == (
        "MODEL_REFUSED",
        {"model": "cloud_unet", "reason": "golden tile: answer is not the manifest's"},
    )


def test_failures_in_a_row_bring_the_former_model_back_and_a_good_answer_between_does_not(bench):
    bench.fly(INT8)
    for _ in range(FAILURES_MAX):
        bench.deck.failed("timeout")
        bench.deck.answered()
    assert bench.deck.flown.data == INT8.data
    for _ in range(FAILURES_MAX):
        bench.deck.failed("timeout")
    assert bench.deck.flown.data == FP32.data
    assert bench.deck.waiting
    assert bench.names()[-1] == "MODEL_ROLLED_BACK"
    assert "timeout" in bench.told[-1][1]["cause"]
    assert bench.start().flown.data == FP32.data


def test_the_factory_model_has_nothing_to_fall_back_to(bench):
    for _ in range(10 * FAILURES_MAX):
        bench.deck.failed("timeout")
    assert bench.deck.flown.data == FP32.data
    assert bench.told == []
    assert bench.deck.roll_back(1) is LoadVerdict.NOT_FOUND


def test_the_way_back_by_command_is_taken_at_the_next_frame(bench):
    bench.fly(INT8)
    assert bench.deck.roll_back(2) is LoadVerdict.OK
    assert bench.deck.waiting
    assert bench.deck.flown.data == FP32.data


def test_a_model_that_cannot_be_read_after_a_reset_gives_way_to_the_former_one(bench):
    bench.fly(INT8)
    for path in (bench.folder / "models").glob("a-*.lmdl"):
        path.write_bytes(b"rot")
    assert bench.start().flown.data == FP32.data
    assert bench.names()[-1] == "MODEL_REFUSED"
    assert bench.store.slots.active == "factory"


def test_a_staged_model_that_cannot_be_read_is_refused(bench):
    bench.deck.activate(signed(INT8), 1)
    for path in (bench.folder / "models").glob("a-*.lmdl"):
        path.unlink()
    assert bench.deck.candidate() is None
    assert bench.names()[-1] == "MODEL_REFUSED"


def test_a_store_that_is_full_refuses_and_leaves_what_flies(bench, monkeypatch):
    monkeypatch.setattr(bench.store, "write", full)
    assert bench.deck.activate(signed(INT8), 1) is LoadVerdict.NOT_DURABLE
    assert bench.store.slots == ModelSlots()


def test_a_model_that_comes_up_during_a_trial_does_not_fly_on_that_trial(bench):
    later = dataclasses.replace(
        INT8, manifest=msgspec.structs.replace(INT8.manifest, version="later")
    )
    bench.deck.activate(signed(INT8), 1)
    on_trial = bench.deck.candidate()
    assert bench.deck.activate(signed(later), 2) is LoadVerdict.OK
    bench.deck.accept(on_trial)
    assert bench.deck.flown.data == FP32.data
    assert bench.store.slots.active == "factory"
    assert bench.deck.waiting
    bench.deck.refuse(on_trial.name, "of another")
    assert bench.deck.candidate().manifest.version == "later"
    bench.deck.accept(bench.deck.candidate())
    assert bench.start().flown.manifest.version == "later"


def test_a_cut_while_a_model_comes_up_leaves_no_half_of_it_as_the_way_back(bench, monkeypatch):
    class CutError(Exception):
        pass

    def cut(*_):
        raise CutError

    bench.fly(INT8)
    bench.fly(INT8)
    assert (bench.store.slots.active, bench.store.slots.former) == ("b", "a")
    monkeypatch.setattr(bench.store, "_put_in_place", cut)
    with pytest.raises(CutError):
        bench.deck.activate(signed(INT8), 1)
    bench.start()
    assert (bench.store.slots.active, bench.store.slots.former) == ("b", "factory")


def test_a_way_back_that_is_not_durable_is_not_taken_by_command_but_after_failures(
    bench, monkeypatch
):
    bench.fly(INT8)
    monkeypatch.setattr(bench.store, "write_record", full)
    assert bench.deck.roll_back(2) is LoadVerdict.NOT_DURABLE
    assert bench.deck.flown.data == INT8.data
    assert bench.store.slots.active == "a"
    for _ in range(FAILURES_MAX):
        bench.deck.failed("timeout")
    assert bench.deck.flown.data == FP32.data
    assert "not durable" in bench.told[-2][1]["copy"]


def test_the_reason_of_a_refusal_is_no_longer_than_is_told(bench):
    odd = msgspec.structs.replace(INT8.manifest.input, bands=("B" * 100_000,))
    manifest = msgspec.structs.replace(INT8.manifest, input=odd)
    bench.deck.validate(signed(dataclasses.replace(INT8, manifest=manifest)))
    assert len(bench.told[-1][1]["reason"]) == REASON_CHARS_MAX


def test_with_nothing_in_the_store_to_read_what_the_engine_holds_flies(bench, monkeypatch):
    def gone(*_):
        raise ModelError("gone")

    bench.fly(INT8)
    monkeypatch.setattr(ModelStore, "load", gone)
    assert bench.start().flown is FP32
    assert (bench.store.slots.active, bench.store.slots.former) == ("factory", "")


def test_mended_copies_are_told_once(bench):
    bench.store.mended.append("a-1.lmdl: bundle fails its CRC")
    bench.deck.mended()
    bench.deck.mended()
    assert bench.names() == ["MODEL_COPY_MENDED"]
