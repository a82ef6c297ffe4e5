"""What a start finds: count of starts, what contacts carried, the board on its last reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flight.downlink.store_values import StoreError
from flight.telemetry.dictionary import RESET_LABELS
from hal.sample import HalError, SensorBit

if TYPE_CHECKING:
    from flight.downlink.pass_plan import PassPlan
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.telemetry.event_log import EventLog
    from hal.protocols import NodeDevices

STARTS = "node.starts"
EXPERIENCE = "link.experience"


def count_start(store: ProductStore) -> int:
    """One more start, durably counted over every reset: the board's own count may begin anew."""
    starts = store.load_counter(STARTS) + 1
    store.store_counter(STARTS, starts)
    return starts


def reset_cause(devices: NodeDevices, events: EventLog, now_ns: int) -> int | None:
    """Index into RESET_LABELS; `None` when the board does not say. It stops no start."""
    try:
        frame = devices.snapshot()
    except HalError as error:
        events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
        return None
    known = frame.is_valid(SensorBit.RESET_CAUSE) and frame.reset_cause < len(RESET_LABELS)
    return frame.reset_cause if known else None


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
