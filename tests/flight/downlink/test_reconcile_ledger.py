"""Open questions: asked in order, repeated with reason, closed once."""

from __future__ import annotations

from flight.downlink.reconcile_ledger import ReconcileLedger
from flight.wire.reconcile import ITEMS_MAX, Answered, Asked, Held, ReconcileAnswer


def ledger_of(*ids):
    ledger = ReconcileLedger(3)
    for product_id in ids:
        ledger.add(Asked(product_id, 100, 0))
    return ledger


def test_new_questions_come_first_and_old_ones_when_they_are_due():
    ledger = ledger_of(1, 2, 3)
    assert ledger.due(0, 2) == (1, 2)
    ledger.asked((1, 2), 0)
    assert ledger.due(0, 9) == (3,)
    ledger.asked((3,), 2)
    assert ledger.due(2, 9) == ()
    assert ledger.due(3, 9) == (1, 2)
    ledger.add(Asked(4, 100, 0))
    assert ledger.due(5, 9) == (4, 1, 2, 3)
    ledger.add(Asked(1, 100, 0))
    assert ledger.due(0, 9) == (4,), "adding again does not ask again"


def test_a_lost_question_or_a_new_session_asks_at_once():
    ledger = ledger_of(1, 2)
    ledger.asked((1, 2, 99), 0)
    ledger.ask_again((2, 77))
    assert ledger.due(0, 9) == (2,)
    ledger.ask_all_again()
    assert set(ledger.due(0, 9)) == {1, 2}
    ledger.forget(1)
    assert len(ledger) == 1


def test_only_what_was_asked_is_answered_and_only_once():
    ledger = ledger_of(1, 2, 3, 4)
    ledger.asked((1, 2, 3), 0)
    answer = ReconcileAnswer(
        1,
        (
            Answered(1, Held.COMPLETE),
            Answered(2, Held.PARTIAL, ((0, 50),)),
            Answered(3, Held.PARTIAL, ((0, 101),)),
            Answered(4, Held.COMPLETE),
        ),
    )
    assert ledger.answer(answer) == ((1,), ((2, ((0, 50),)),))
    assert ledger.answer(answer) == ((), ())
    assert len(ledger) == 2, "an answer that does not fit the product closes nothing"


def test_a_request_never_exceeds_its_packet():
    ledger = ledger_of(*range(500))
    due = ledger.due(0, 500)
    assert len(due) == ITEMS_MAX
    assert len(ledger.request(due)) <= 1024
