import msgspec
import pytest

from flight.commanding.loadable import LoadVerdict
from flight.commanding.parameter_copies import COPIES, FORMER, ParameterCopies
from flight.commanding.parameter_keeper import ParameterKeeper
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.telemetry.dictionary import PARAMETERS
from flight.telemetry.event_log import EventLog

S = 1_000_000_000


class Room:
    """A node's parameters over resets: `again` is the next start on the same store."""

    def __init__(self, blobs=None, **configured):
        self.blobs = {} if blobs is None else blobs
        self.configured, self.told, self.full = configured, [], False
        self.keeper = ParameterKeeper(
            ParameterCopies(self.blobs.get, self.save),
            {name.replace("__", "."): value for name, value in configured.items()},
            EventLog(64, lambda event: self.told.append((event.name, event.args))),
        )
        self.keeper.recover(0)

    def save(self, name, blob):
        if self.full:
            raise StoreError(StoreErrorKind.FULL)
        self.blobs[name] = blob

    def again(self):
        return Room(self.blobs, **self.configured)

    def set(self, name, value):
        self.keeper.table.set(name, value)
        assert self.keeper.save(S)

    def values(self):
        return {row.name: row.value for row in self.keeper.table.rows()}


def load(**values):
    return msgspec.json.encode({name.replace("__", "."): v for name, v in values.items()})


def test_what_the_ground_set_wins_over_the_configuration_even_when_it_is_the_default():
    room = Room(power__soc_floor=0.6, governor__die_target_c=70.0)
    room.set("power.soc_floor", 0.55)
    again = room.again()
    assert again.keeper.table["power.soc_floor"] == 0.55
    assert again.keeper.table["governor.die_target_c"] == 70.0
    assert again.told == []


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda copy: copy[:-1], "torn"),
        (lambda copy: copy[:-2] + bytes([copy[-2] ^ 1]) + copy[-1:], "bad CRC"),
        (lambda copy: copy[:4] + b"\x07" + copy[5:], "wrong version"),
    ],
)
def test_one_bad_copy_costs_nothing_is_told_with_its_cause_and_is_mended(damage, reason):
    room = Room()
    room.set("power.soc_floor", 0.6)
    room.blobs[COPIES[0]] = damage(room.blobs[COPIES[0]])
    again = room.again()
    assert again.keeper.table["power.soc_floor"] == 0.6
    assert again.told == [("PARAMETER_COPY_BAD", {"copy": COPIES[0], "reason": reason})]
    assert again.again().told == []


def test_with_both_copies_bad_the_configured_values_hold_and_that_is_told():
    room = Room(power__soc_floor=0.5)
    room.set("power.soc_floor", 0.6)
    for name in COPIES:
        room.blobs[name] = b"\0" * 30
    again = room.again()
    assert again.keeper.table["power.soc_floor"] == 0.5
    assert [name for name, _ in again.told] == ["PARAMETER_COPY_BAD"] * 2 + ["PARAMETERS_LOST"]


def test_a_stored_value_that_this_software_does_not_take_is_left_out_and_told():
    room = Room()
    copies = ParameterCopies(room.blobs.get, room.blobs.__setitem__)
    copies.write({"power.soc_floor": 0.6, "power.soc_safe": 9.0, "no.such": 1.0})
    again = room.again()
    assert again.keeper.table.changed() == {"power.soc_floor": 0.6}
    assert [args for name, args in again.told if name == "PARAMETER_IGNORED"] == [
        {"name": "power.soc_safe", "reason": "out of range"},
        {"name": "no.such", "reason": "unknown parameter"},
    ]


def test_a_load_replaces_the_whole_table_outlives_a_reset_and_can_be_taken_back():
    room = Room(power__soc_floor=0.6)
    room.set("governor.die_target_c", 60.0)
    before = room.values()
    assert room.keeper.activate(load(power__soc_safe=0.3), S) is LoadVerdict.OK
    loaded = room.values()
    assert loaded == {p.name: p.default for p in PARAMETERS} | {"power.soc_safe": 0.3}
    assert room.again().values() == loaded
    assert room.keeper.roll_back(2 * S) is LoadVerdict.OK
    assert room.values() == before
    assert room.again().values() == before
    assert room.keeper.roll_back(3 * S) is LoadVerdict.OK
    assert room.values() == loaded


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (load(power__soc_floor=0.6)[:-4], LoadVerdict.UNREADABLE),
        (b"\xff\x00", LoadVerdict.UNREADABLE),
        (b"[1.0]", LoadVerdict.UNREADABLE),
        (load(power__soc_floor="much"), LoadVerdict.UNREADABLE),
        (load(power__soc_floor=7.0), LoadVerdict.OUT_OF_RANGE),
        (load(power__soc_safe=0.3, power__soc_floor=float("inf")), LoadVerdict.UNREADABLE),
        (load(no__such=1.0), LoadVerdict.NOT_FOUND),
    ],
)
def test_a_bad_load_changes_nothing_on_board_nor_on_the_store(data, verdict):
    room = Room()
    room.set("power.soc_floor", 0.5)
    values, blobs = room.values(), dict(room.blobs)
    assert room.keeper.validate(data) is verdict
    assert room.keeper.activate(data, S) is verdict
    assert (room.values(), room.blobs) == (values, blobs)
    assert room.keeper.roll_back(S) is LoadVerdict.NOT_FOUND


def test_a_load_that_the_store_cannot_keep_is_not_in_force():
    room = Room()
    room.set("power.soc_floor", 0.5)
    before, room.full = room.values(), True
    assert room.keeper.activate(load(power__soc_floor=0.7), S) is LoadVerdict.NOT_DURABLE
    assert room.values() == before
    assert room.told == [("STORE_FAILED", {"kind": "FULL"})]
    assert not room.keeper.save(S)


def test_a_damaged_way_back_is_refused():
    room = Room()
    room.keeper.activate(load(power__soc_floor=0.7), S)
    room.blobs[FORMER] = room.blobs[FORMER][:-1]
    assert room.keeper.roll_back(S) is LoadVerdict.BAD_CHECKSUM
    assert room.keeper.table["power.soc_floor"] == 0.7


def test_a_dump_loaded_again_is_the_same_table():
    room = Room(power__soc_floor=0.6)
    room.set("telemetry.period_s", 30.0)
    dump, values = room.keeper.dump(), room.values()
    assert room.keeper.validate(dump) is LoadVerdict.OK
    room.keeper.activate(load(), S)
    room.keeper.activate(dump, S)
    assert room.values() == values
