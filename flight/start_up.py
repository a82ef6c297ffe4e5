"""What a start finds: count of starts, what contacts carried, the board on its last reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flight import __version__
from flight.boot_record import Ended
from flight.downlink.store_values import StoreError
from flight.reset_cause import Cause, ResetLog
from flight.telemetry.dictionary import RESET_LABELS
from hal.sample import HalError, SensorBit

if TYPE_CHECKING:
    from flight.boot_keeper import BootKeeper, BootStart
    from flight.downlink.pass_plan import PassPlan
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from hal.protocols import NodeDevices

STARTS = "node.starts"
EXPERIENCE = "link.experience"
RESETS = "node.resets"
RESET_COMMANDED = "reset by command"


def count_start(store: ProductStore, least: int = 0) -> int:
    """One more start, durably counted over every reset: the board's own count may begin anew.

    `least` is what the boot record counts: it has seen the starts that never came as far as here.
    """
    starts = max(store.load_counter(STARTS) + 1, least)
    store.store_counter(STARTS, starts)
    return starts


def board_cause(devices: NodeDevices, events: EventLog, now_ns: int) -> Cause | None:
    """What the board says; `None` when it says nothing. It stops no start."""
    try:
        frame = devices.snapshot()
    except HalError as error:
        events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
        return None
    known = frame.is_valid(SensorBit.RESET_CAUSE) and frame.reset_cause <= Cause.UNKNOWN
    return Cause(frame.reset_cause) if known else None


def tell_start(  # noqa: PLR0913, PLR0917  what the root has by then
    store: ProductStore,
    devices: NodeDevices,
    boot: BootStart | None,
    keeper: BootKeeper | None,
    channels: ChannelValues,
    events: EventLog,
    now_ns: int,
) -> None:
    """Counts this start, finds its cause, makes both durable and tells them."""
    starts = count_start(store, 0 if boot is None else boot.record.boots)
    cause = board_cause(devices, events, now_ns)
    if boot is not None:
        cause = boot.cause(cause)
    log = whole = None
    if boot is not None and cause is not None:
        log, whole = ResetLog.load(store.load_state(RESETS))
        log.note(cause, starts, boot.before)
        store.store_state(RESETS, log.blob())
    store.settle()  # the last wait for the medium before the flight begins
    values = channels.values
    values[channels.index("mode.boot_count")] = starts
    if cause is not None:
        values[channels.index("mode.reset_cause")] = cause
    told = "unknown" if cause is None else RESET_LABELS[cause]
    events.emit("BOOTED", now_ns, boot_count=starts, cause=told, version=__version__)
    if keeper is not None and cause is not None and log is not None:
        keeper.tell(cause, log, log_whole=bool(whole), now_ns=now_ns)


def ended_as(cause: str, *, lost: bool) -> Ended:
    """What the boot record is told about the end of a flight, by the words that ended it."""
    if lost:
        return Ended.FATAL
    return Ended.COMMANDED if cause == RESET_COMMANDED else Ended.ORDERED


def load_experience(store: ProductStore, plan: PassPlan) -> None:
    """What contacts carried before the last reset, so that the plan need not learn it again."""
    blob = store.load_state(EXPERIENCE)
    if blob is not None:
        plan.restore(msgspec.msgpack.decode(blob, type=dict[str, tuple[float, ...]]))


def save_experience(store: ProductStore, plan: PassPlan, events: EventLog, now_ns: int) -> None:
    """Makes it durable, once a contact; told when the store cannot."""
    try:
        store.store_state(EXPERIENCE, msgspec.msgpack.encode(plan.experience()))
    except StoreError as error:
        events.emit("STORE_FAILED", now_ns, kind=error.kind.name)
