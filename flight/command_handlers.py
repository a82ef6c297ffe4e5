"""What each telecommand does: one typed handler a command, acting through a channel.

Hop "acted" of command → ack. A handler judges, puts its effect where the room in charge will find
it, and answers; it never reaches into another room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flight.base.channels import Offer
from flight.commanding.dispatcher import COMPLETED, Binding, HandlerResult, failed
from flight.commanding.parameters import ParameterVerdict
from flight.downlink.pass_plan import CONTACTS_MAX
from flight.link_config import KeepOutConfig
from flight.telemetry.command_table import (
    DeleteProduct,
    DisableInference,
    Disarm,
    EnableInference,
    KeepOutAdd,
    KeepOutSet,
    NoOp,
    Reprioritise,
    SetMode,
    SetParameter,
)
from flight.telemetry.definitions import Mode
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.commanding.arming import Arming
    from flight.commanding.parameters import ParameterTable
    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.product_intake import ProductIntake
    from flight.telemetry.channel_values import ChannelValues
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


KEEP_OUTS_MAX = 128
"""Windows by command, of all peers together; those that are over are forgotten first."""
PEERS_MAX = 64


class PeerKeepOuts(msgspec.Struct, frozen=True, array_like=True):
    """What the ground has said of one peer.

    Attributes:
        alone: the configured windows before it stand no more.
        windows: start and end in Unix seconds.
    """

    alone: bool = False
    windows: tuple[tuple[int, int], ...] = ()


class KeepOutHandlers:
    """Times without light by command, beside the configured ones or in their place.

    Args:
        configured: windows of the configuration.
        apply: cuts the contacts by all windows in force, from now on.
        keep: makes what the ground has said durable; False when it could not.
        utc_s: Unix seconds at a mission time.
    """

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        configured: Sequence[KeepOutConfig],
        apply: Callable[[list[KeepOutConfig]], None],
        keep: Callable[[bytes], bool],
        utc_s: Callable[[int], float],
        channels: ChannelValues,
        events: EventLog,
    ) -> None:
        self._configured = configured
        self._apply = apply
        self._keep = keep
        self._utc_s = utc_s
        self._events = events
        self._values, self._index = channels.values, channels.index("link.keep_outs")
        self._said: dict[int, PeerKeepOuts] = {}
        self._values[self._index] = len(configured)

    def bindings(self) -> list[Binding[object]]:
        """These commands with their handlers."""
        rows: list[tuple[type, Callable[..., HandlerResult]]] = [
            (KeepOutAdd, self._add), (KeepOutSet, self._set)
        ]  # fmt: skip
        return [Binding(kind, handler) for kind, handler in rows]

    def restore(self, words: bytes | None, *, on_defaults: bool) -> bool:
        """What `keep` was given before the reset; False, and as configured, when it says nothing.

        `on_defaults` no word of the ground takes a configured window away.
        """
        try:
            said = msgspec.msgpack.decode(words or b"\x80", type=dict[int, PeerKeepOuts])
        except msgspec.DecodeError:
            return False
        if on_defaults:
            said = {peer: PeerKeepOuts(windows=each.windows) for peer, each in said.items()}
        windows = [window for each in said.values() for window in each.windows]
        in_force = self._in_force(said)
        if _why_not(said, windows, 0.0, len(in_force)):
            return False
        self._put_in_force(said, in_force)
        return True

    def _add(self, command: KeepOutAdd, now_ns: int) -> HandlerResult:
        before = self._said.get(command.peer_id, PeerKeepOuts())
        window = (command.start_utc_s, command.end_utc_s)
        after = PeerKeepOuts(before.alone, (*before.windows, window))
        return self._say(command.peer_id, after, [window], now_ns)

    def _set(self, command: KeepOutSet, now_ns: int) -> HandlerResult:
        spans = command.windows.split(",") if command.windows else []
        windows = tuple((int(each[:10]), int(each[11:])) for each in spans)
        return self._say(command.peer_id, PeerKeepOuts(True, windows), windows, now_ns)

    def _say(
        self, peer: int, after: PeerKeepOuts, new: Sequence[tuple[int, int]], now_ns: int
    ) -> HandlerResult:
        utc_s = self._utc_s(now_ns)
        said = {
            each: PeerKeepOuts(of.alone, tuple(w for w in of.windows if w[1] > utc_s or w in new))
            for each, of in {**self._said, peer: after}.items()
        }
        in_force = self._in_force(said)
        reason = _why_not(said, new, utc_s, len(in_force))
        if not reason and not self._keep(msgspec.msgpack.encode(said)):
            reason = "the store could not keep it"
        if reason:
            self._events.emit("KEEP_OUTS_REFUSED", now_ns, peer=peer, reason=reason)
            return failed(CommandReason.REFUSED)
        self._put_in_force(said, in_force)
        windows, total = len(said[peer].windows), len(in_force)
        self._events.emit("KEEP_OUTS_CHANGED", now_ns, peer=peer, windows=windows, total=total)
        return COMPLETED

    def _in_force(self, said: dict[int, PeerKeepOuts]) -> list[KeepOutConfig]:
        alone = {peer for peer, each in said.items() if each.alone}
        return [each for each in self._configured if each.peer_id not in alone] + [
            KeepOutConfig(peer_id=peer, start_utc_s=start_s, end_utc_s=end_s)
            for peer, each in said.items()
            for start_s, end_s in each.windows
        ]

    def _put_in_force(self, said: dict[int, PeerKeepOuts], windows: list[KeepOutConfig]) -> None:
        self._said = said
        self._apply(windows)
        self._values[self._index] = len(windows)


def _why_not(
    said: dict[int, PeerKeepOuts], new: Sequence[tuple[int, int]], utc_s: float, total: int
) -> str:
    """Why these windows cannot stand, in one line; "" when they can."""
    for start_s, end_s in new:
        if end_s <= start_s:
            return f"{start_s} to {end_s} ends before it begins"
        if end_s <= utc_s:
            return f"{start_s} to {end_s} is over"
    count = sum(len(each.windows) for each in said.values())
    if count > KEEP_OUTS_MAX:
        return f"{count} windows by command, {KEEP_OUTS_MAX} at most"
    if total > CONTACTS_MAX:
        return f"{total} windows in all, {CONTACTS_MAX} at most"
    return f"{len(said)} peers, {PEERS_MAX} at most" if len(said) > PEERS_MAX else ""
