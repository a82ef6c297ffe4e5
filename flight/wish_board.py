"""Collects what ground and services want into the one `Wishes` the executive reads each cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.channels import Bounded, Overflow
from flight.fdir.command_loss import CommandLossEdge
from flight.node_status import Wishes

if TYPE_CHECKING:
    from flight.base.channels import Latest
    from flight.commanding.parameters import ParameterTable
    from flight.downlink.pass_plan import PassPlan
    from flight.downlink.product_intake import ProductIntake
    from flight.fdir.command_loss import CommandLoss
    from flight.inference.inference_telemetry import InferenceCounts
    from flight.io.guard_watch import GuardWatch
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.definitions import Mode
    from flight.telemetry.event_log import EventLog

_NS_PER_S = 1_000_000_000
DUTY_SMOOTHING = 0.02
"""Share of a new second in the running duty: about a minute's memory."""
LOOK_AHEAD_S = 2_400.0
"""Contacts that begin within this long have their energy set aside."""


class WishBoard:
    """Stepped before the executive in the same group.

    Attributes:
        mode_requests: modes asked for by command.
        inference_enabled: the ground lets the payload run.
        boot_failed: the start ended badly; set by the composition root.
    """

    name = "wishes"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        out: Latest[Wishes],
        status: Latest[NodeStatus],
        plan: PassPlan,
        intake: ProductIntake,
        counts: InferenceCounts,
        command_loss: CommandLoss,
        parameters: ParameterTable,
        guard: GuardWatch | None = None,
        laser_w: float,
        channels: ChannelValues,
        events: EventLog,
    ) -> None:
        self._out = out
        self._status = status
        self._plan = plan
        self._intake = intake
        self._counts = counts
        self._command_loss = command_loss
        self._parameters = parameters
        self._guard = guard
        self._laser_w = laser_w
        self._values = channels.values
        self._events = events
        self._busy_ns = 0
        self._computed_ns = 0
        self._then_ns: int | None = None
        self._duty = 1.0
        self._queue_full = False
        self.mode_requests: Bounded[Mode] = Bounded("mode_requests", 8, Overflow.REJECT_NEWEST)
        self.inference_enabled = True
        self.boot_failed = False
        self._enabled_channel = channels.index("inference.enabled")
        self._loss_channel = channels.index("command.loss_in_s")

    def step(self, now_ns: int) -> None:
        """One cycle's wishes."""
        contact = self._plan.active(now_ns)
        self._values[self._enabled_channel] = self.inference_enabled
        self._out.set(
            Wishes(
                mode=self.mode_requests.take(),
                inference_enabled=self.inference_enabled,
                contact_active=contact is not None and contact.authorised,
                laser_j=self._laser_j(now_ns),
                queue_full=self._full(now_ns),
                busy_permille=self._busy_permille(now_ns),
                duty=self._observed_duty(now_ns),
                command_lost=self._silent(now_ns),
                guard_tripped=self._guard is not None and self._guard.tripped,
                boot_failed=self.boot_failed,
            ),
            now_ns,
        )

    def _laser_j(self, now_ns: int) -> float:
        until_ns = now_ns + round(LOOK_AHEAD_S * _NS_PER_S)
        seconds = self._plan.contact_seconds(now_ns, until_ns)
        return self._laser_w * seconds

    def _full(self, now_ns: int) -> bool:
        """Back-pressure: not even the best frame is worth its room; until the queue has eased."""
        intake, best = self._intake, self._counts.best_drafts
        pressure_bytes = self._parameters["queue.pressure_bytes"]
        intake.room.step(intake.waiting_bytes, pressure_bytes, now_ns)
        if not intake.room.pressed:
            self._queue_full = False
        elif not intake.room.takes(best, now_ns):
            self._queue_full = True
        return self._queue_full

    def _busy_permille(self, now_ns: int) -> int:
        """Share of the last cycle; asked before `_observed_duty`, which moves the cycle on."""
        before_ns, self._computed_ns = self._computed_ns, self._counts.computed_ns(now_ns)
        if self._then_ns is None or now_ns <= self._then_ns:
            return 0
        share = (self._computed_ns - before_ns) / (now_ns - self._then_ns)
        return round(1000 * min(max(share, 0.0), 1.0))

    def _observed_duty(self, now_ns: int) -> float:
        """Busy share of the payload's time; unknown at first, so taken as full."""
        if self._then_ns is not None and now_ns > self._then_ns:
            share = (self._counts.busy_ns - self._busy_ns) / (now_ns - self._then_ns)
            self._duty += DUTY_SMOOTHING * (min(share, 1.0) - self._duty)
        self._then_ns, self._busy_ns = now_ns, self._counts.busy_ns
        return self._duty

    def _silent(self, now_ns: int) -> bool:
        timer = self._command_loss
        timer.set_timeout(int(self._parameters["command.loss_timeout_s"] * _NS_PER_S))
        if timer.update(now_ns) is CommandLossEdge.LOST:
            seconds = self._parameters["command.loss_timeout_s"]
            self._events.emit("COMMAND_LOSS", now_ns, seconds=seconds)
        self._values[self._loss_channel] = timer.remaining_ns(now_ns) / _NS_PER_S
        return timer.lost
