"""Which model flies, which one is the way back, which one waits for its trial. Pure.

Two slots beside the factory's model, which is never written over:

    (any) --stage--> TRIAL --accept--> flies, the former is the way back
                       |
                       +---refuse----> gone, what flew flies on
    flies --so many failures in a row--> the former flies, no way back from there
          --by command-----------------> the two change places

A slot that is written is named nowhere in the record until both of its copies are whole, so what
the record names was accepted, or waits for its trial.
"""

from __future__ import annotations

import zlib
from typing import Literal

import msgspec

FACTORY: Literal["factory"] = "factory"
_CRC_BYTES = 4

Slot = Literal["factory", "a", "b", ""]
SLOTS: tuple[Slot, ...] = ("a", "b")


class ModelSlots(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record. `staged` waits for its trial; "" is none.

    `count` goes up with every change, so that the newer of two copies is known.
    """

    active: Slot = FACTORY
    former: Slot = ""
    staged: Slot = ""
    count: int = 0


def stage(slots: ModelSlots) -> ModelSlots:
    """A new model comes: into the slot that neither flies nor, if possible, is the way back."""
    free = [slot for slot in SLOTS if slot != slots.active]
    target = next((slot for slot in free if slot != slots.former), free[0])
    former = FACTORY if slots.former == target else slots.former
    return _next(slots, staged=target, former=former)


def vacate(slots: ModelSlots, slot: Slot) -> ModelSlots:
    """A slot that does not fly is about to be written: nothing names it any more."""
    former = FACTORY if slots.former == slot else slots.former
    staged: Slot = "" if slots.staged == slot else slots.staged
    if (former, staged) == (slots.former, slots.staged):
        return slots
    return _next(slots, former=former, staged=staged)


def accept(slots: ModelSlots) -> ModelSlots:
    """The staged model passed its trial and flies."""
    assert slots.staged, "nothing was staged"
    return _next(slots, active=slots.staged, former=slots.active, staged="")


def refuse(slots: ModelSlots) -> ModelSlots:
    """The staged model did not pass: what flew flies on."""
    return _next(slots, staged="")


def roll_back(slots: ModelSlots, *, give_up: bool) -> ModelSlots | None:
    """The former model flies again; None without one.

    By command the two change places; ``give_up`` leaves no way to the one that failed.
    """
    if not slots.former:
        return None
    return _next(slots, active=slots.former, former="" if give_up else slots.active)


def factory_alone(slots: ModelSlots) -> ModelSlots:
    """Neither what flew nor a way back can be read: the factory's model flies."""
    return _next(slots, active=FACTORY, former="")


def start_over(slots: ModelSlots) -> ModelSlots:
    """The factory's model flies, whatever flew; what flew is the way back."""
    former = slots.former if slots.active == FACTORY else slots.active
    return _next(slots, active=FACTORY, former=former, staged="")


def encode_slots(slots: ModelSlots) -> bytes:
    """The record with its CRC-32."""
    content = msgspec.json.encode(slots)
    return content + zlib.crc32(content).to_bytes(_CRC_BYTES, "big")


def decode_slots(data: bytes) -> ModelSlots | None:
    """The record, or None for anything damaged."""
    content, crc = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
    if zlib.crc32(content).to_bytes(_CRC_BYTES, "big") != crc:
        return None
    try:
        return msgspec.json.decode(content, type=ModelSlots)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _next(slots: ModelSlots, **changes: str) -> ModelSlots:
    return msgspec.structs.replace(slots, count=slots.count + 1, **changes)
