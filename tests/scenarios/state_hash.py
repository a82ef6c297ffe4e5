"""A hash over everything that commands can reach: what a node is, and not what it has counted.

Walks the objects from the dispatcher on: its memory, every handler and the rooms behind it, the
whole control cycle among them, down to the words in the store. Left out is what a refusal is meant
to change: the way a frame comes in (with the link's memory of numbers), ledgers, events, channels,
and the answer on its way out. What is not ours (a database, a lock) counts as its type.
"""

import enum
import functools
import hashlib
import types
from collections import deque

from flight.commanding.authentication import CommandLedger
from flight.commanding.uplink_service import UplinkService
from flight.downlink.arq_values import ArqCounters
from flight.downlink.settlement import SettlementCounts
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.telemetry.queue_board import QueueBoard
from flight.wire.secure_link import SecureLink
from flight.wire.space_packet import SequenceCounts

ROW = type(ChannelValues().values)
LEFT_OUT = (
    *(UplinkService, SecureLink, CommandLedger, SequenceCounts, QueueBoard),
    *(ArqCounters, SettlementCounts, ChannelValues, ROW, EventLog, types.ModuleType, type),
)
PLAIN = (int, float, str, bytes, bool, type(None))


def state_hash(*roots):
    """The hash, and how many objects of ours it covers."""
    told, seen = hashlib.sha256(), {}
    for root in roots:
        _walk(root, told, seen)
    return told.hexdigest(), sum(_ours(each) for each in seen.values())


def _ours(value):
    return type(value).__module__.startswith("flight.")


def _walk(value, told, seen):
    if isinstance(value, enum.Enum):
        told.update(f"{type(value).__name__}.{value.name};".encode())
    elif isinstance(value, PLAIN):
        told.update(f"{value!r};".encode())
    elif isinstance(value, bytearray):
        told.update(bytes(value))
    elif isinstance(value, LEFT_OUT):
        told.update(b"-;")
    elif id(value) in seen:
        told.update(b"again;")
    else:
        seen[id(value)] = value  # held, so that no number is given twice
        told.update(f"{type(value).__qualname__}(".encode())
        for inner in _inside(value):
            _walk(inner, told, seen)
        told.update(b")")


def _inside(value):
    """What a container, a function or an object of ours holds; nothing of anything else."""
    if isinstance(value, dict):
        return [inner for pair in value.items() for inner in pair]
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, (list, tuple, deque, types.MappingProxyType)):
        return list(value)
    return _of_function(value) or (_of_object(value) if _ours(value) else [])


def _of_function(value):
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__.__qualname__]
    if isinstance(value, types.BuiltinMethodType):
        return [value.__self__]
    if isinstance(value, types.FunctionType):
        return [value.__qualname__, *(cell.cell_contents for cell in value.__closure__ or ())]
    return []


def _of_object(value):
    kinds = type(value).__mro__
    names = [name for kind in kinds for name in _slots(kind)]
    names += [*getattr(value, "__dict__", {}), *getattr(type(value), "__struct_fields__", ())]
    return [
        part
        for name in dict.fromkeys(names)
        if hasattr(value, name)
        for part in (name, getattr(value, name))
    ]


def _slots(kind):
    slots = getattr(kind, "__slots__", ())
    return (slots,) if isinstance(slots, str) else slots
