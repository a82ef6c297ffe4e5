from flight.telemetry.mqtt_ledger import COMMANDS_PER_S, INBOX_MAX, BridgeLedger, bridge_counts
from flight.telemetry.mqtt_messages import Topics
from flight.telemetry.mqtt_outbox import Outbox

S = 1_000_000_000


def test_commands_above_the_rate_and_old_ones_are_refused_and_counted():
    ledger = BridgeLedger()
    admitted = [ledger.admit(S, retained=False) for _ in range(COMMANDS_PER_S + 3)]
    assert sum(admitted) == COMMANDS_PER_S
    assert ledger.admit(2 * S, retained=False)
    assert not ledger.admit(2 * S, retained=True)
    ledger.overflow()
    counts = bridge_counts(ledger, Outbox(Topics("n"), 1, 0))
    assert (counts.commands, counts.flooded, counts.retained) == (COMMANDS_PER_S + 6, 4, 1)
    assert ledger.all_refused == 5


def test_what_waits_to_be_looked_at_is_a_queue_like_any_other_over_sessions():
    ledger = BridgeLedger()
    for waiting in (1, 2, 1, 0):
        ledger.inbox.now(waiting)
    ledger.overflow()
    inbox = ledger.inbox
    assert (len(inbox), inbox.high_water, inbox.dropped) == (0, 2, 1)
    assert (inbox.name, inbox.capacity) == ("mqtt_inbox", INBOX_MAX)
