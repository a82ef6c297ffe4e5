from types import SimpleNamespace

import pytest

from flight.base.channels import Latest, Offer
from flight.command_handlers import CommandHandlers
from flight.commanding.arming import Arming
from flight.commanding.dispatcher import COMPLETED, failed
from flight.commanding.parameters import ParameterTable
from flight.downlink.pass_plan import Contact, ContactKind, PassPlan
from flight.fdir.command_loss import CommandLoss
from flight.inference.inference_telemetry import InferenceCounts
from flight.node_status import Wishes
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import (
    DeleteProduct,
    DisableInference,
    Disarm,
    EnableInference,
    NoOp,
    Reprioritise,
    SetMode,
    SetParameter,
)
from flight.telemetry.definitions import Mode
from flight.telemetry.event_log import EventLog
from flight.wire.telecommand import CommandReason
from flight.wish_board import LOOK_AHEAD_S, WishBoard

S = 1_000_000_000
LASER_W = 20.0
HOUR_S = 3_600


def contact(number, start_s, end_s, *, authorised=True):
    return Contact(
        contact_id=number, peer_id=7, kind=ContactKind.OGS, start_ns=start_s * S, end_ns=end_s * S,
        rate_bps=1e8, authorised=authorised,
    )  # fmt: skip


class Requests:
    """A bounded queue that can be made full."""

    def __init__(self):
        self.items, self.full = [], False

    def offer(self, item):
        if self.full:
            return Offer.REJECTED
        self.items.append(item)
        return Offer.ACCEPTED


class Pressure:
    """As `RoomWatch`, with what it says set from outside."""

    def __init__(self):
        self.pressed, self.kept, self.fed = False, True, []

    def step(self, waiting_bytes, pressure_bytes, _now_ns):
        self.fed.append((waiting_bytes, pressure_bytes))

    def takes(self, drafts, _now_ns):
        return not self.pressed or not drafts or self.kept


class Room:
    def save(self, _now_ns):
        self.saved.append(self.parameters.differing())
        return not self.store_full

    def __init__(self, *contacts):
        self.out, self.channels, self.events = Latest(), ChannelValues(), EventLog(1_000)
        self.parameters = ParameterTable({"queue.pressure_bytes": 1e8})
        self.intake = SimpleNamespace(
            waiting_bytes=0, deletions=Requests(), revaluations=Requests(), room=Pressure()
        )
        self.counts, self.saved, self.store_full = InferenceCounts(), [], False
        self.command_loss = CommandLoss(HOUR_S * S, 0)
        self.guard = SimpleNamespace(tripped=False)
        self.board = WishBoard(
            out=self.out,
            status=Latest(),
            plan=PassPlan(contacts),
            intake=self.intake,
            counts=self.counts,
            command_loss=self.command_loss,
            parameters=self.parameters,
            guard=self.guard,
            laser_w=LASER_W,
            channels=self.channels,
            events=self.events,
        )
        self.parameters.set("command.loss_timeout_s", HOUR_S)
        self.arming = Arming()
        handlers = CommandHandlers(
            wishes=self.board,
            parameters=self.parameters,
            save_parameters=self.save,
            queue={5},
            intake=self.intake,
            arming=self.arming,
            events=self.events,
        )
        self.handlers = {binding.command_type: binding.handler for binding in handlers.bindings()}

    def wishes(self, t_s) -> Wishes:
        self.board.step(t_s * S)
        return self.out.get()

    def command(self, command):
        return self.handlers[type(command)](command, 0)

    def told(self, name):
        found = []
        while (event := self.events.pending.take()) is not None:
            found += [event.args] if event.name == name else []
        return found


def test_a_trip_of_the_guard_is_heard_in_every_cycle_that_it_lasts():
    room = Room()
    assert not room.wishes(1).guard_tripped
    room.guard.tripped = True
    assert [room.wishes(t).guard_tripped for t in (2, 3)] == [True, True]
    room.guard.tripped = False
    assert not room.wishes(4).guard_tripped


def test_a_mode_asked_for_is_a_wish_for_one_cycle_in_the_order_of_asking():
    room = Room()
    assert room.command(SetMode("SAFE")) == COMPLETED
    assert room.command(SetMode("COMPUTE")) == COMPLETED
    assert [room.wishes(t).mode for t in range(3)] == [Mode.SAFE, Mode.COMPUTE, None]


def test_more_mode_requests_than_can_wait_are_refused_as_busy():
    room = Room()
    answers = [room.command(SetMode("IDLE")) for _ in range(9)]
    assert answers == [COMPLETED] * 8 + [failed(CommandReason.BUSY)]


def test_only_an_authorised_contact_is_a_wish_to_use_the_laser():
    room = Room(contact(1, 100, 200), contact(2, 300, 400, authorised=False))
    assert [room.wishes(t).contact_active for t in (99, 100, 199, 200, 350)] == [
        False, True, True, False, False,
    ]  # fmt: skip


def test_the_payload_is_busy_for_its_share_of_the_last_cycle_the_job_under_way_included():
    room = Room()
    assert room.wishes(0).busy_permille == 0
    room.counts.busy_ns += S // 4
    assert room.wishes(1).busy_permille == 250
    room.counts.running_since_ns = round(1.9 * S)
    assert room.wishes(2).busy_permille == 100
    assert room.wishes(3).busy_permille == 1000
    room.counts.busy_ns += round(1.5 * S)  # it ends at 3.4 s
    room.counts.running_since_ns = None
    assert room.wishes(4).busy_permille == 400
    assert room.wishes(5).busy_permille == 0


def test_energy_is_set_aside_for_the_contacts_ahead_and_shrinks_as_they_pass():
    room = Room(contact(1, 100, 200), contact(2, 5_000, 5_300))
    assert room.wishes(0).laser_j == 100 * LASER_W
    assert room.wishes(150).laser_j == 50 * LASER_W
    assert room.wishes(200).laser_j == 0.0
    assert room.wishes(round(5_300 - LOOK_AHEAD_S)).laser_j == 300 * LASER_W


def test_under_pressure_the_payload_rests_only_when_no_frame_is_worth_its_room_until_it_eases():
    room = Room()
    pressure = room.intake.room
    room.counts.best_drafts = ((1000, 400),)
    seen = []
    for t, (pressed, kept) in enumerate(
        ((False, False), (True, True), (True, False), (True, True), (False, True), (True, True))
    ):
        pressure.pressed, pressure.kept = pressed, kept
        seen.append(room.wishes(t).queue_full)
    assert seen == [False, False, True, True, False, False]


def test_the_operators_own_bound_of_what_waits_counts():
    room = Room()
    room.intake.waiting_bytes = 7
    room.wishes(0)
    assert room.intake.room.fed == [(7, 1e8)]


def test_duty_is_taken_as_full_until_it_is_known_and_then_follows_what_was_busy():
    room = Room()
    assert room.wishes(0).duty == 1.0
    for t in range(1, 600):
        room.counts.busy_ns += S // 4
        duty = room.wishes(t).duty
    assert duty == pytest.approx(0.25, abs=0.001)


def test_a_job_booked_longer_than_the_second_never_makes_more_than_full_duty():
    room = Room()
    room.wishes(0)
    room.counts.busy_ns += 100 * S
    assert room.wishes(1).duty == 1.0


def test_a_silent_ground_is_told_once_and_ends_with_a_valid_command():
    room = Room()
    assert not room.wishes(HOUR_S - 1).command_lost
    assert room.channels.get("command.loss_in_s") == 1.0
    assert room.wishes(HOUR_S).command_lost
    assert room.wishes(HOUR_S + 1).command_lost
    assert room.told("COMMAND_LOSS") == [{"seconds": HOUR_S}]
    room.command_loss.on_valid_command((HOUR_S + 2) * S)
    assert not room.wishes(HOUR_S + 2).command_lost


def test_another_time_out_holds_at_once():
    room = Room()
    assert not room.wishes(1_000).command_lost
    assert room.command(SetParameter("command.loss_timeout_s", 900.0)) == COMPLETED
    assert room.wishes(1_001).command_lost


def test_inference_is_allowed_and_forbidden_by_command_and_both_are_told():
    room = Room()
    assert room.command(DisableInference()) == COMPLETED
    assert not room.wishes(0).inference_enabled
    assert room.channels.get("inference.enabled") == 0.0
    assert room.told("INFERENCE_DISABLED") == [{"source": "command"}]
    assert room.command(EnableInference()) == COMPLETED
    assert room.wishes(1).inference_enabled
    assert room.told("INFERENCE_ENABLED") == [{"source": "command"}]


def test_a_parameter_is_made_durable_only_when_it_was_accepted():
    room = Room()
    assert room.command(SetParameter("power.soc_floor", 0.6)) == COMPLETED
    assert room.saved[-1]["power.soc_floor"] == 0.6
    assert room.told("PARAMETER_SET") == [{"name": "power.soc_floor", "value": 0.6}]
    saves = len(room.saved)
    out_of_range = failed(CommandReason.OUT_OF_RANGE)
    assert room.command(SetParameter("power.soc_floor", 2.0)) == out_of_range
    assert room.command(SetParameter("power.soc_floor", float("nan"))) == out_of_range
    assert room.command(SetParameter("no.such", 1.0)) == failed(CommandReason.NOT_FOUND)
    assert len(room.saved) == saves
    assert room.parameters["power.soc_floor"] == 0.6


def test_a_parameter_that_cannot_be_made_durable_is_refused_and_stays_as_it_was():
    room = Room()
    room.store_full = True
    refused = failed(CommandReason.REFUSED)
    before = room.parameters["power.soc_floor"]
    assert room.command(SetParameter("power.soc_floor", 0.6)) == refused
    assert room.parameters["power.soc_floor"] == before
    assert room.told("PARAMETER_SET") == []


@pytest.mark.parametrize(
    ("command", "other", "queue"),
    [
        (DeleteProduct(5), DeleteProduct(6), "deletions"),
        (Reprioritise(5, 10), Reprioritise(6, 10), "revaluations"),
    ],
)
def test_a_product_command_reaches_the_intake_or_says_why_not(command, other, queue):
    room = Room()
    requests = getattr(room.intake, queue)
    assert room.command(other) == failed(CommandReason.NOT_FOUND)
    assert requests.items == []
    assert room.command(command) == COMPLETED
    assert len(requests.items) == 1
    requests.full = True
    assert room.command(command) == failed(CommandReason.BUSY)


def test_a_command_that_does_nothing_completes():
    assert Room().command(NoOp()) == COMPLETED


def test_an_arming_is_taken_back_on_command_and_there_must_be_one():
    room = Room()
    assert room.command(Disarm()) == failed(CommandReason.NOT_FOUND)
    room.arming.arm(DeleteProduct(5), "DELETE_PRODUCT", 0)
    assert room.command(Disarm()) == COMPLETED
    assert not room.arming.take(DeleteProduct(5), 1)


def test_a_failed_boot_is_passed_on():
    room = Room()
    assert not room.wishes(0).boot_failed
    room.board.boot_failed = True
    assert room.wishes(1).boot_failed
