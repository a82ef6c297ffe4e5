"""The commands about starts."""

from flight.boot_keeper import boot_bindings
from flight.commanding.dispatcher import COMPLETED, failed
from flight.telemetry.command_table import ClearResets, ResetNode
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.wire.telecommand import CommandReason


class Keeper:
    def __init__(self):
        self.asked = []

    def order_reset(self, now_ns):
        self.asked.append(("reset", now_ns))

    def forgive(self, now_ns, source):
        self.asked.append((source, now_ns))


def test_each_asks_the_keeper():
    keeper = Keeper()
    rows = {row.command_type: row.handler for row in boot_bindings(keeper)}
    assert rows[ResetNode](ResetNode(), 5) == COMPLETED
    assert rows[ClearResets](ClearResets(), 6) == COMPLETED
    assert keeper.asked == [("reset", 5), ("command", 6)]


def test_a_node_that_nobody_would_start_again_refuses():
    for row in boot_bindings(None):
        assert row.handler(row.command_type(), 5) == failed(CommandReason.REFUSED)


def test_a_reset_takes_two_steps():
    assert COMMAND_BY_TYPE[ResetNode].dangerous
    assert not COMMAND_BY_TYPE[ClearResets].dangerous
