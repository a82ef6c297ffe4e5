"""Times without light by command: beside the configured ones, in their place, and over a reset."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.command_handlers import KEEP_OUTS_MAX, PEERS_MAX, KeepOutHandlers
from flight.commanding.dispatcher import COMPLETED, failed
from flight.downlink.pass_plan import CONTACTS_MAX
from flight.link_config import KeepOutConfig
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import KeepOutAdd, KeepOutSet
from flight.telemetry.event_log import EventLog
from flight.wire.telecommand import CommandReason

S = 1_000_000_000
UTC_S = 1_800_000_000
SUN = KeepOutConfig(peer_id=7, start_utc_s=UTC_S + 5.5, end_utc_s=UTC_S + 9.5, cause="sun")
EVERY = KeepOutConfig(peer_id=0, start_utc_s=UTC_S + 50, end_utc_s=UTC_S + 60)
REFUSED = failed(CommandReason.REFUSED)


class Life:
    """One life of a node; `kept` is what its store has at the end."""

    def __init__(self, configured=(SUN, EVERY), kept=None, *, on_defaults=False):
        self.kept, self.keeps, self.in_force, self.told = kept, True, None, []
        self.channels = ChannelValues()
        self.handlers = KeepOutHandlers(
            configured=configured, apply=self.apply, keep=self.keep,
            utc_s=lambda now_ns: UTC_S + now_ns / S, channels=self.channels,
            events=EventLog(64, self.told.append),
        )  # fmt: skip
        self.restored = kept is None or self.handlers.restore(kept, on_defaults=on_defaults)
        self.do = {each.command_type: each.handler for each in self.handlers.bindings()}

    def apply(self, windows):
        self.in_force = {
            (each.peer_id, each.start_utc_s - UTC_S, each.end_utc_s - UTC_S) for each in windows
        }

    def keep(self, words):
        if self.keeps:
            self.kept = words
        return self.keeps

    def add(self, peer, start_s, end_s, now_s=0):
        command = KeepOutAdd(peer_id=peer, start_utc_s=UTC_S + start_s, end_utc_s=UTC_S + end_s)
        return self.do[KeepOutAdd](command, now_s * S)

    def set(self, peer, *windows, now_s=0):
        text = ",".join(f"{UTC_S + start_s}-{UTC_S + end_s}" for start_s, end_s in windows)
        command = msgspec.convert({"peer_id": peer, "windows": text}, KeepOutSet)
        return self.do[KeepOutSet](command, now_s * S)

    @property
    def count(self):
        return self.channels.get("link.keep_outs")

    @property
    def reason(self):
        assert self.told[-1].name == "KEEP_OUTS_REFUSED"
        return self.told[-1].args["reason"]


CONFIGURED = {(7, 5.5, 9.5), (0, 50, 60)}


def test_a_window_that_is_added_stands_beside_the_configured_ones_and_is_counted_and_told():
    life = Life()
    assert life.count == 2
    assert life.add(7, 20, 30) == COMPLETED
    assert life.in_force == CONFIGURED | {(7, 20, 30)}
    assert life.count == 3
    (told,) = life.told
    assert (told.name, told.args) == ("KEEP_OUTS_CHANGED", {"peer": 7, "windows": 1, "total": 3})


def test_windows_that_are_set_replace_those_of_their_peer_alone_and_none_clears_them():
    life = Life()
    life.add(7, 20, 30)
    assert life.set(7, (40, 45), (46, 49)) == COMPLETED
    assert life.in_force == {(0, 50, 60), (7, 40, 45), (7, 46, 49)}
    assert life.set(7) == COMPLETED
    assert life.in_force == {(0, 50, 60)}
    assert life.set(0) == COMPLETED
    assert (life.in_force, life.count) == (set(), 0)


def test_what_the_ground_has_said_holds_over_a_reset():
    life = Life()
    life.add(0, 20, 30)
    life.set(7, (40, 45))
    again = Life(kept=life.kept)
    assert again.restored
    assert again.in_force == life.in_force == {(0, 50, 60), (0, 20, 30), (7, 40, 45)}
    assert again.count == 3


def test_on_defaults_no_word_of_the_ground_takes_a_configured_window_away():
    life = Life()
    life.set(7, (40, 45))
    assert Life(kept=life.kept, on_defaults=True).in_force == CONFIGURED | {(7, 40, 45)}


@pytest.mark.parametrize(
    ("start_s", "end_s", "reason"), [(30, 30, "before it begins"), (5, 10, "is over")]
)
def test_a_window_that_cannot_stand_is_refused_in_one_line_and_changes_nothing(
    start_s, end_s, reason
):
    life = Life()
    life.add(7, 100, 200)
    before = life.kept
    assert life.add(7, start_s, end_s, now_s=10) == REFUSED
    assert reason in life.reason
    assert life.set(7, (100, 200), (start_s, end_s), now_s=10) == REFUSED
    assert reason in life.reason
    assert life.in_force == CONFIGURED | {(7, 100, 200)}
    assert (life.kept, life.count) == (before, 3)


def test_a_window_that_the_store_cannot_keep_does_not_stand():
    life = Life()
    life.keeps = False
    assert life.add(7, 20, 30) == REFUSED
    assert life.in_force is None
    assert life.reason == "the store could not keep it"


def test_windows_and_peers_are_bounded_and_those_that_are_over_make_room():
    life = Life()
    for number in range(KEEP_OUTS_MAX):
        assert life.add(9, 100 + number, 101 + number) == COMPLETED
    assert life.add(9, 500, 600) == REFUSED
    assert str(KEEP_OUTS_MAX) in life.reason
    assert life.add(9, 500, 600, now_s=101) == COMPLETED
    assert life.count == 2 + KEEP_OUTS_MAX
    life = Life()
    for peer in range(PEERS_MAX):
        assert life.set(peer) == COMPLETED
    assert life.set(PEERS_MAX) == REFUSED
    assert str(PEERS_MAX) in life.reason


def test_the_plan_never_gets_more_windows_than_it_takes_nor_at_a_start():
    full = (EVERY,) * CONTACTS_MAX
    assert Life(full).add(9, 1, 2) == REFUSED
    life = Life()
    life.add(9, 1, 2)
    again = Life(full, kept=life.kept)
    assert not again.restored
    assert (again.in_force, again.count) == (None, CONTACTS_MAX)


@given(words=st.binary(max_size=200))
def test_any_octets_in_the_store_are_windows_or_none_at_all(words):
    life = Life(kept=words)
    assert life.restored == (life.in_force is not None)
    assert life.add(7, 20, 30) in {COMPLETED, REFUSED}


@pytest.mark.parametrize(
    "windows", ["1", "1800000000", "1800000000-", "a-b", "1800000000-1800000001,"]
)
def test_what_is_no_list_of_windows_never_reaches_the_handler(windows):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"peer_id": 1, "windows": windows}, KeepOutSet)
