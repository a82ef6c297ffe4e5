"""What each telecommand does: one typed handler a command, acting through a channel.

Hop "acted" of command → ack. A handler judges, puts its effect where the room in charge will find
it, and answers; it never reaches into another room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.channels import Offer
from flight.commanding.dispatcher import COMPLETED, Binding, HandlerResult, failed
from flight.commanding.parameters import ParameterVerdict
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
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.commanding.arming import Arming
    from flight.commanding.parameters import ParameterTable
    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.product_intake import ProductIntake
    from flight.telemetry.event_log import EventLog
    from flight.wish_board import WishBoard


class CommandHandlers:
    """Rows of the opcode table: mode, parameters, payload, products, the command path itself.

    Args:
        save_parameters: makes the parameters in force durable; False when it could not.
    """

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        wishes: WishBoard,
        parameters: ParameterTable,
        save_parameters: Callable[[int], bool],
        queue: DownlinkQueue,
        intake: ProductIntake,
        arming: Arming,
        events: EventLog,
    ) -> None:
        self._wishes = wishes
        self._parameters = parameters
        self._save_parameters = save_parameters
        self._queue = queue
        self._intake = intake
        self._arming = arming
        self._events = events

    def bindings(self) -> list[Binding[object]]:
        """These commands with their handlers."""
        rows: list[tuple[type, Callable[..., HandlerResult]]] = [
            (NoOp, self._no_op),
            (SetMode, self._set_mode),
            (SetParameter, self._set_parameter),
            (EnableInference, self._enable),
            (DisableInference, self._disable),
            (DeleteProduct, self._delete),
            (Reprioritise, self._reprioritise),
            (Disarm, self._disarm),
        ]
        return [Binding(kind, handler) for kind, handler in rows]

    def _no_op(self, _command: NoOp, _now_ns: int) -> HandlerResult:
        return COMPLETED

    def _disarm(self, _command: Disarm, _now_ns: int) -> HandlerResult:
        return COMPLETED if self._arming.disarm() else failed(CommandReason.NOT_FOUND)

    def _set_mode(self, command: SetMode, _now_ns: int) -> HandlerResult:
        offer = self._wishes.mode_requests.offer(Mode[command.mode])
        return COMPLETED if offer is Offer.ACCEPTED else failed(CommandReason.BUSY)

    def _set_parameter(self, command: SetParameter, now_ns: int) -> HandlerResult:
        before = self._parameters.get(command.name)
        verdict = self._parameters.set(command.name, command.value)
        if before is None or verdict is ParameterVerdict.UNKNOWN:
            return failed(CommandReason.NOT_FOUND)
        if verdict is not ParameterVerdict.SET:
            return failed(CommandReason.OUT_OF_RANGE)
        if not self._save_parameters(now_ns):
            self._parameters.set(command.name, before)
            return failed(CommandReason.REFUSED)
        self._events.emit("PARAMETER_SET", now_ns, name=command.name, value=command.value)
        return COMPLETED

    def _enable(self, _command: EnableInference, now_ns: int) -> HandlerResult:
        self._wishes.inference_enabled = True
        self._events.emit("INFERENCE_ENABLED", now_ns, source="command")
        return COMPLETED

    def _disable(self, _command: DisableInference, now_ns: int) -> HandlerResult:
        self._wishes.inference_enabled = False
        self._events.emit("INFERENCE_DISABLED", now_ns, source="command")
        return COMPLETED

    def _delete(self, command: DeleteProduct, _now_ns: int) -> HandlerResult:
        if command.product_id not in self._queue:
            return failed(CommandReason.NOT_FOUND)
        offer = self._intake.deletions.offer(command.product_id)
        return COMPLETED if offer is Offer.ACCEPTED else failed(CommandReason.BUSY)

    def _reprioritise(self, command: Reprioritise, _now_ns: int) -> HandlerResult:
        if command.product_id not in self._queue:
            return failed(CommandReason.NOT_FOUND)
        offer = self._intake.revaluations.offer((command.product_id, command.value_millis))
        return COMPLETED if offer is Offer.ACCEPTED else failed(CommandReason.BUSY)
