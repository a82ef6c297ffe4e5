import copy

import msgspec
import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.arming import ARMING_WINDOW_NS
from flight.commanding.authentication import CommandLedger
from flight.commanding.dispatcher import (
    COMPLETED,
    MEMORY_IDS,
    NO_LIMIT_NS,
    RUNNING_LIMIT_NS,
    RUNNING_MAX,
    STARTED,
    Binding,
    Dispatcher,
    HandlerResult,
    HandlerVerdict,
    LongBinding,
    Source,
    failed,
)
from flight.telemetry.command_table import DeleteProduct, NoOp, Reprioritise, SetMode
from flight.telemetry.definitions import CommandDef, Mode
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.wire.replay_window import ReplayWindow
from flight.wire.telecommand import (
    CommandReason,
    Stage,
    Telecommand,
    Unusable,
    VerificationReport,
)


class Purge(msgspec.Struct, frozen=True, tag="PURGE"):
    what: int


AWAKE = frozenset(Mode) - {Mode.BOOT}
TABLE = {
    NoOp: CommandDef("NO_OP", NoOp, frozenset(Mode), ""),
    SetMode: CommandDef("SET_MODE", SetMode, AWAKE, ""),
    DeleteProduct: CommandDef("DELETE_PRODUCT", DeleteProduct, AWAKE, ""),
    Purge: CommandDef("PURGE", Purge, AWAKE, "", dangerous=True),
}
R = CommandReason


class Rooms:
    """Handlers that write down what they were asked to do."""

    def __init__(self, executed: ReplayWindow | None = None) -> None:
        self.done: list[object] = []
        self.ledger = CommandLedger()
        bindings = [
            Binding(NoOp, self.no_op),
            Binding(SetMode, self.set_mode),
            Binding(DeleteProduct, self.delete),
            Binding(Purge, self.no_op),
        ]
        self.dispatcher = Dispatcher(bindings, self.ledger, executed, TABLE)

    def no_op(self, command, now_ns):
        self.done.append(command)
        return COMPLETED

    def set_mode(self, command, now_ns):
        self.done.append(command)
        return STARTED

    def delete(self, command, now_ns):
        if command.product_id == 13:
            raise ZeroDivisionError("a broken room")
        return failed(R.NOT_FOUND)

    def send(self, command_id, command, *, now_ns=0, mode=Mode.IDLE):
        incoming = (
            Unusable(command_id, command)
            if isinstance(command, CommandReason)
            else Telecommand(command_id, command)
        )
        dispatched = self.dispatcher.dispatch(incoming, now_ns, mode)
        assert all(report.command_id == command_id for report in dispatched.reports)
        return [(report.stage, report.reason) for report in dispatched.reports]

    def state(self):
        d = self.dispatcher
        window = d._executed
        return copy.deepcopy(
            (d._last, d._running, d.arming._armed, window.highest, window._seen, self.done)
        )


ACCEPTED = (Stage.ACCEPTED, R.NONE)


def test_a_command_is_accepted_then_done_and_reported_in_that_order():
    rooms = Rooms()
    assert rooms.send(1, NoOp()) == [ACCEPTED, (Stage.COMPLETED, R.NONE)]
    assert rooms.done == [NoOp()]
    assert (rooms.ledger.accepted, rooms.ledger.rejected) == (1, 0)


def test_a_long_command_is_started_and_ends_when_its_room_says_so():
    rooms = Rooms()
    assert rooms.send(1, SetMode("SAFE")) == [ACCEPTED, (Stage.STARTED, R.NONE)]
    assert rooms.dispatcher.running == 1
    ended = rooms.dispatcher.finish(1)
    assert ended.name == "SET_MODE"
    assert ended.reports == (VerificationReport(1, Stage.COMPLETED),)
    assert rooms.dispatcher.finish(1) is None
    rooms.send(2, SetMode("SAFE"))
    assert rooms.dispatcher.finish(2, reason=R.REFUSED).reports[0].stage is Stage.FAILED


def test_a_room_that_says_no_or_breaks_is_reported_and_brings_nothing_down():
    rooms = Rooms()
    assert rooms.send(1, DeleteProduct(7)) == [ACCEPTED, (Stage.FAILED, R.NOT_FOUND)]
    assert rooms.send(2, DeleteProduct(13)) == [ACCEPTED, (Stage.FAILED, R.INTERNAL_ERROR)]
    assert rooms.dispatcher.handler_errors == 1
    assert rooms.dispatcher.last_error == "ZeroDivisionError: a broken room"


def test_a_retransmission_gets_the_last_word_again_and_does_nothing():
    rooms = Rooms()
    rooms.send(1, NoOp())
    assert rooms.send(1, NoOp()) == [(Stage.COMPLETED, R.NONE)]
    rooms.send(2, SetMode("IDLE"))
    assert rooms.send(2, SetMode("IDLE")) == [(Stage.STARTED, R.NONE)]
    rooms.dispatcher.finish(2)
    assert rooms.send(2, SetMode("IDLE")) == [(Stage.COMPLETED, R.NONE)]
    assert rooms.done == [NoOp(), SetMode("IDLE")]
    assert (rooms.ledger.accepted, rooms.ledger.rejected, rooms.ledger.duplicates) == (2, 3, 3)


def test_what_is_only_said_again_is_marked_so_that_nobody_counts_it_twice():
    rooms = Rooms()
    first = rooms.dispatcher.dispatch(Telecommand(1, NoOp()), 0, Mode.IDLE)
    again = rooms.dispatcher.dispatch(Telecommand(1, NoOp()), 0, Mode.IDLE)
    assert (first.repeated, again.repeated) == (False, True)
    assert first.name == again.name == "NO_OP"


def test_commands_that_overtake_each_other_are_all_done_once():
    rooms = Rooms()
    for command_id in (5, 3, 4, 3, 5, 1):
        rooms.send(command_id, NoOp())
    assert len(rooms.done) == 4


@pytest.mark.parametrize("mode", Mode)
def test_the_mode_guard_of_the_dictionary_holds_in_every_mode(mode):
    rooms = Rooms()
    reports = rooms.send(1, SetMode("SAFE"), mode=mode)
    if mode in AWAKE:
        assert reports[0] == ACCEPTED
    else:
        assert reports == [(Stage.REJECTED, R.WRONG_MODE)]
        assert rooms.send(1, SetMode("SAFE"), mode=Mode.SAFE)[0] == ACCEPTED


def test_an_unusable_command_is_answered_with_its_reason_and_may_come_again_corrected():
    rooms = Rooms()
    assert rooms.send(1, R.OUT_OF_RANGE) == [(Stage.REJECTED, R.OUT_OF_RANGE)]
    assert rooms.send(1, R.UNKNOWN_COMMAND) == [(Stage.REJECTED, R.UNKNOWN_COMMAND)]
    assert rooms.send(1, NoOp())[0] == ACCEPTED


def test_too_many_commands_under_way_are_refused_until_one_ends():
    rooms = Rooms()
    for n in range(1, RUNNING_MAX + 1):
        rooms.send(n, SetMode("IDLE"))
    assert rooms.send(99, NoOp()) == [(Stage.REJECTED, R.BUSY)]
    rooms.dispatcher.finish(1)
    assert rooms.send(99, NoOp())[0] == ACCEPTED


def test_a_command_nobody_ends_fails_after_its_limit_and_frees_its_place():
    rooms = Rooms()
    rooms.send(1, SetMode("IDLE"), now_ns=5)
    assert rooms.dispatcher.expire(5 + RUNNING_LIMIT_NS) == ()
    (late,) = rooms.dispatcher.expire(6 + RUNNING_LIMIT_NS)
    assert late.reports == (VerificationReport(1, Stage.FAILED, R.TIMED_OUT),)
    assert rooms.dispatcher.running == 0
    assert rooms.dispatcher.finish(1) is None


ARMED = [ACCEPTED, (Stage.COMPLETED, R.ARMED)]
DONE = [ACCEPTED, (Stage.COMPLETED, R.NONE)]


def test_a_dangerous_command_is_done_only_when_it_comes_again_in_time():
    rooms = Rooms()
    assert rooms.send(1, Purge(1)) == ARMED
    assert not rooms.done
    assert rooms.send(1, Purge(1)) == [(Stage.COMPLETED, R.ARMED)]
    assert not rooms.done
    assert rooms.send(2, NoOp()) == DONE
    assert rooms.send(3, Purge(1), now_ns=ARMING_WINDOW_NS) == DONE
    assert rooms.done == [NoOp(), Purge(1)]
    assert rooms.send(4, Purge(1), now_ns=ARMING_WINDOW_NS) == ARMED


def test_an_arming_is_for_one_command_with_its_arguments_and_runs_out():
    rooms = Rooms()
    assert rooms.send(1, Purge(1)) == ARMED
    assert rooms.send(2, Purge(2)) == ARMED
    assert rooms.send(3, Purge(1)) == ARMED
    assert rooms.send(4, Purge(1), now_ns=ARMING_WINDOW_NS + 1) == ARMED
    assert not rooms.done


def test_after_a_reset_nothing_is_executed_a_second_time():
    kept = [0]

    def boot() -> Rooms:
        return Rooms(ReplayWindow(MEMORY_IDS, lambda: kept[-1], kept.append))

    rooms = boot()
    rooms.send(7, NoOp())
    rooms = boot()
    assert rooms.send(7, NoOp()) == [(Stage.REJECTED, R.STALE)]
    assert not rooms.done
    assert rooms.send(8, NoOp())[0] == ACCEPTED


def test_a_reset_inside_a_handler_never_leads_to_a_second_execution():
    kept = [0]
    effects = []

    class Reset(BaseException):
        pass

    def cut(command, now_ns):
        effects.append(command)
        raise Reset

    def boot():
        window = ReplayWindow(MEMORY_IDS, lambda: kept[-1], kept.append)
        table = {NoOp: TABLE[NoOp]}
        return Dispatcher([Binding(NoOp, cut)], CommandLedger(), window, table)

    with pytest.raises(Reset):
        boot().dispatch(Telecommand(1, NoOp()), 0, Mode.IDLE)
    answer = boot().dispatch(Telecommand(1, NoOp()), 0, Mode.IDLE)
    assert answer.reports == (VerificationReport(1, Stage.REJECTED, R.STALE),)
    assert effects == [NoOp()]


def test_memory_of_executed_commands_is_bounded():
    rooms = Rooms()
    for command_id in range(1, 3 * MEMORY_IDS):
        rooms.send(command_id, NoOp())
    assert len(rooms.dispatcher._last) == MEMORY_IDS
    assert rooms.send(1, NoOp()) == [(Stage.REJECTED, R.STALE)]


steps = st.tuples(
    st.integers(1, 12),
    st.one_of(
        st.just(NoOp()),
        st.just(SetMode("IDLE")),
        st.builds(Purge, st.integers(1, 2)),
        st.builds(DeleteProduct, st.sampled_from([7, 13])),
        st.sampled_from([R.OUT_OF_RANGE, R.UNKNOWN_COMMAND]),
    ),
    st.sampled_from(Mode),
)


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(steps, max_size=40))
def test_whatever_is_sent_is_done_at_most_once_answered_and_accounted_for(history):
    rooms = Rooms()
    accepted: list[int] = []
    for now_ns, (command_id, command, mode) in enumerate(history, start=1):
        before = rooms.state()
        reports = rooms.send(command_id, command, now_ns=now_ns, mode=mode)
        assert reports
        if reports[0] == ACCEPTED:
            accepted.append(command_id)
        else:
            assert rooms.state() == before
        ledger = rooms.ledger
        assert ledger.accepted + ledger.rejected == now_ns
    assert len(accepted) == len(set(accepted)) == rooms.ledger.accepted
    assert len(rooms.done) <= len(accepted)


def nothing(command, now_ns):
    return COMPLETED


@pytest.mark.parametrize(
    "types", [[NoOp], [*COMMAND_BY_TYPE, NoOp], [*list(COMMAND_BY_TYPE)[1:], Purge]]
)
def test_a_table_with_a_hole_a_double_or_a_stranger_is_refused_at_start(types):
    with pytest.raises(ValueError, match="exactly one handler"):
        Dispatcher([Binding(t, nothing) for t in types], CommandLedger())


def test_the_whole_dictionary_can_be_bound():
    dispatcher = Dispatcher([Binding(t, nothing) for t in COMMAND_BY_TYPE], CommandLedger())
    dispatched = dispatcher.dispatch(Telecommand(1, NoOp()), 0, Mode.BOOT)
    assert dispatched.name == "NO_OP"


def test_a_step_of_a_sequence_spends_no_identity_and_is_judged_like_any_command():
    rooms = Rooms()
    step = rooms.dispatcher.execute
    assert step(NoOp(), 0, Mode.IDLE, Source.SEQUENCE) == COMPLETED
    assert step(SetMode("SAFE"), 0, Mode.BOOT, Source.SEQUENCE) == failed(R.WRONG_MODE)
    assert step(SetMode("WARP"), 0, Mode.IDLE, Source.SEQUENCE) == failed(R.OUT_OF_RANGE)
    assert step(Reprioritise(1, 1), 0, Mode.IDLE, Source.SEQUENCE) == failed(R.UNKNOWN_COMMAND)
    assert step(DeleteProduct(13), 0, Mode.IDLE, Source.RESPONSE) == failed(R.INTERNAL_ERROR)
    assert rooms.done == [NoOp()]
    assert (rooms.ledger.accepted, rooms.ledger.rejected, rooms.dispatcher._last) == (0, 0, {})
    assert rooms.dispatcher.steps[Source.SEQUENCE, HandlerVerdict.COMPLETED] == 1
    assert rooms.dispatcher.steps[Source.SEQUENCE, HandlerVerdict.FAILED] == 3
    assert rooms.dispatcher.steps[Source.RESPONSE, HandlerVerdict.FAILED] == 1


def test_a_dangerous_step_of_a_validated_sequence_is_done_and_arms_nothing():
    table = {**TABLE, NoOp: msgspec.structs.replace(TABLE[NoOp], dangerous=True)}
    rooms = Rooms()
    bindings = list(rooms.dispatcher._handlers.values())
    rooms.dispatcher = Dispatcher(bindings, rooms.ledger, None, table)
    assert rooms.dispatcher.execute(NoOp(), 0, Mode.IDLE, Source.SEQUENCE) == COMPLETED
    assert rooms.dispatcher.arming.name == ""
    assert rooms.send(1, NoOp()) == ARMED


def test_a_command_with_a_ticket_is_ended_by_it_and_a_step_has_none():
    tickets = []

    def begin(command, now_ns, ticket):
        tickets.append(ticket)
        return HandlerResult(HandlerVerdict.STARTED, limit_ns=NO_LIMIT_NS)

    table = {NoOp: TABLE[NoOp]}
    dispatcher = Dispatcher([LongBinding(NoOp, begin)], CommandLedger(), None, table)
    dispatcher.dispatch(Telecommand(9, NoOp()), 0, Mode.IDLE)
    dispatcher.execute(NoOp(), 0, Mode.IDLE, Source.SEQUENCE)
    assert tickets == [9, 0]
    assert dispatcher.expire(1_000 * RUNNING_LIMIT_NS) == ()
    assert dispatcher.finish(0) is None
    assert dispatcher.finish(9).reports == (VerificationReport(9, Stage.COMPLETED),)


def test_a_command_started_before_a_reset_is_adopted_answered_and_ended_under_its_identity():
    rooms = Rooms(ReplayWindow(MEMORY_IDS, lambda: 7, lambda _: None))
    rooms.dispatcher.adopt(7, SetMode)
    assert rooms.send(7, SetMode("SAFE")) == [(Stage.STARTED, R.NONE)]
    assert rooms.done == []
    ended = rooms.dispatcher.finish(7, reason=R.ABORTED)
    assert ended.reports == (VerificationReport(7, Stage.FAILED, R.ABORTED),)
    assert rooms.send(7, SetMode("SAFE")) == [(Stage.FAILED, R.ABORTED)]


def test_a_command_under_way_is_remembered_however_many_come_after_it():
    rooms = Rooms()
    rooms.send(1, SetMode("IDLE"))
    for command_id in range(2, 3 * MEMORY_IDS):
        rooms.send(command_id, NoOp())
    assert rooms.send(1, SetMode("IDLE")) == [(Stage.STARTED, R.NONE)]
    assert len(rooms.dispatcher._last) == MEMORY_IDS
