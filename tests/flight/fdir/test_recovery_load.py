"""A load of kind "recoveries": judged dry, durable before it counts, with a way back."""

import msgspec
import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.loadable import Loadable, LoadVerdict
from flight.fdir.recovery_load import (
    AS_BUILT,
    LimitTuning,
    RecoveryLoad,
    RecoverySet,
    RowTuning,
    activities,
    limit_of,
    recovery_of,
)
from flight.fdir.recovery_row import Activity, Retry
from flight.fdir.safety_tables import RECOVERIES, node_limits

S = 1_000_000_000
LIMITS = node_limits(die_limit_c=85.0, soc_safe=0.4, soc_floor=0.55)
DIE = next(limit for limit in LIMITS if limit.name == "die")
ROWS = {row.name: row for row in RECOVERIES}
HOTTER = b'{"limits":{"die":{"high_yellow":80.0,"high_red":84.0,"stale_after_s":2.5}}}'
SHADOW = b'{"recoveries":{"sink too hot":{"activity":"shadow"}}}'


class Room:
    def __init__(self, *, durable=True):
        self.applied, self.kept, self.durable = [], [], durable
        self.load = RecoveryLoad(LIMITS, RECOVERIES, self.applied.append, self._keep)

    def _keep(self, blob, _now_ns):
        if self.durable:
            self.kept.append(blob)
        return self.durable


def test_it_is_a_kind_of_load():
    load: Loadable = Room().load
    assert (load.kind, load.version) == ("recoveries", 1)
    assert load.dump() == b"{}"


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"", LoadVerdict.UNREADABLE),
        (b"\xff\xfe", LoadVerdict.UNREADABLE),
        (b"{", LoadVerdict.UNREADABLE),
        (b"[" * 10_000, LoadVerdict.OUT_OF_RANGE),
        (b"[]", LoadVerdict.OUT_OF_RANGE),
        (b'{"limits":{"die":{"high_red":"hot"}}}', LoadVerdict.OUT_OF_RANGE),
        (b'{"limits":{"die":{"highest":1}}}', LoadVerdict.OUT_OF_RANGE),
        (b'{"limits":{"die":{"high_red":1e400}}}', LoadVerdict.OUT_OF_RANGE),
        (b'{"limits":{"die":{"persistence":0}}}', LoadVerdict.OUT_OF_RANGE),
        (b'{"recoveries":{"sink too hot":{"activity":"maybe"}}}', LoadVerdict.OUT_OF_RANGE),
        (b'{"recoveries":{"sink too hot":{"actions":["laser_off"]}}}', LoadVerdict.OUT_OF_RANGE),
        (b'{"limits":{"knee":{}}}', LoadVerdict.NOT_FOUND),
        (b'{"recoveries":{"knee too hot":{}}}', LoadVerdict.NOT_FOUND),
        (b'{"limits":{"die":{"high_red":20.0}}}', LoadVerdict.REFUSED),
        (b'{"limits":{"battery":{"low_red":0.1}}}', LoadVerdict.REFUSED),
        (b'{"recoveries":{"link stands still":{"times":0}}}', LoadVerdict.REFUSED),
        (b'{"limits":{"battery":{"persistence":9}}}', LoadVerdict.OK),
        (b"{}", LoadVerdict.OK),
        (HOTTER, LoadVerdict.OK),
    ],
)
def test_a_load_is_judged_dry_and_a_bad_one_changes_nothing(data, verdict):
    room = Room()
    assert room.load.validate(data) is verdict
    assert (room.applied, room.kept, room.load.in_force) == ([], [], AS_BUILT)
    if verdict is not LoadVerdict.OK:
        assert room.load.activate(data, 0) is verdict
        assert (room.applied, room.kept, room.load.in_force) == ([], [], AS_BUILT)


def test_a_load_that_the_store_cannot_keep_does_not_count():
    room = Room(durable=False)
    assert room.load.activate(HOTTER, 0) is LoadVerdict.NOT_DURABLE
    assert (room.applied, room.load.in_force) == ([], AS_BUILT)


def test_an_activated_set_is_in_force_dumped_and_has_a_way_back_and_forth():
    room = Room()
    assert room.load.roll_back(0) is LoadVerdict.NOT_FOUND
    assert room.load.activate(HOTTER, 0) is LoadVerdict.OK
    assert room.load.activate(SHADOW, 0) is LoadVerdict.OK
    assert room.load.dump() == SHADOW
    assert room.load.roll_back(0) is LoadVerdict.OK
    assert room.load.dump() == HOTTER
    assert room.load.roll_back(0) is LoadVerdict.OK
    assert room.load.dump() == SHADOW
    assert [msgspec.json.encode(each) for each in room.applied] == [HOTTER, SHADOW] * 2


def test_a_reset_finds_both_sets_and_applies_none_by_itself():
    room, after = Room(), Room()
    room.load.activate(HOTTER, 0)
    room.load.activate(SHADOW, 0)
    assert after.load.restore(room.kept[-1])
    assert after.load.dump() == SHADOW
    assert after.applied == []
    assert after.load.roll_back(0) is LoadVerdict.OK
    assert after.load.dump() == HOTTER


@pytest.mark.parametrize(
    "blob", [b"", b"[]", b"[{}]", b'[{"limits":{"gone":{}}},{}]', b"\xff", b'[{},{"x":1}]']
)
def test_a_record_that_says_nothing_leaves_everything_as_built(blob):
    room = Room()
    assert not room.load.restore(blob)
    assert room.load.in_force == AS_BUILT


def test_what_a_set_leaves_out_is_as_built():
    tuned = limit_of(DIE, LimitTuning(high_red=84.0, stale_after_s=2.5))
    assert (tuned.high_red, tuned.stale_after_ns) == (84.0, 2_500_000_000)
    assert (tuned.high_yellow, tuned.hysteresis, tuned.persistence) == (82.0, 6.0, 2)
    assert limit_of(DIE, None) is DIE
    row = ROWS["link stands still"]
    assert recovery_of(row, RowTuning(activity="shadow")) == row
    tuned = recovery_of(row, RowTuning(times=5, every_s=2.0))
    assert tuned.retry == Retry(times=5, within_ns=600 * S, every_ns=2 * S)
    assert recovery_of(ROWS["sink too hot"], RowTuning(times=0)).retry is None
    again = recovery_of(ROWS["sink too hot"], RowTuning(every_s=60.0, sequence="cool"))
    assert (again.retry, again.sequence) == (
        Retry(times=1, within_ns=3_600 * S, every_ns=60 * S), "cool",
    )  # fmt: skip


def test_a_row_that_a_set_does_not_name_is_active():
    wanted = RecoverySet(recoveries={"sink too hot": RowTuning(activity="disabled")})
    said = activities(wanted, ROWS)
    assert said.pop("sink too hot") is Activity.DISABLED
    assert set(said.values()) == {Activity.ACTIVE}
    assert len(said) == len(ROWS) - 1


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data):
    load = Room().load
    verdict = load.validate(data)
    assert load.activate(data, 0) is verdict
    load.restore(data)


bounds = st.none() | st.floats(-100.0, 200.0, allow_nan=False)


@settings(deadline=None, max_examples=examples(200))
@given(
    st.builds(
        LimitTuning, low_red=bounds, low_yellow=bounds, high_yellow=bounds, high_red=bounds,
        hysteresis=st.none() | st.floats(0.0, 50.0),
    )
)  # fmt: skip
def test_a_set_that_is_accepted_can_always_be_put_in_force(tuning):
    room = Room()
    data = msgspec.json.encode(RecoverySet(limits={"die": tuning}))
    if room.load.validate(data) is LoadVerdict.OK:
        limit_of(DIE, tuning)
        assert room.load.activate(data, 0) is LoadVerdict.OK
