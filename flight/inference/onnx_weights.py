"""The weights of a network, read from its ONNX bytes: what has to be guarded in memory. Pure.

A reader of the few fields needed of the ONNX container (Protocol Buffers, the published wire
format): ModelProto.ir_version = 1 and .graph = 7, GraphProto.initializer = 5 and .input = 11,
ValueInfoProto.name = 1, and of TensorProto dims = 1, data_type = 2, name = 8, raw_data = 9 or, in
its stead, one of the typed lists. The runtime gives no way to its weights, and the library that
writes such files is three times the size of everything else in the worker.

Tensors of text are left out: the runtime keeps those itself. Tensors in files beside the network
(TensorProto.data_location = 14) are refused wherever they stand: no digest is over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_GRAPH, _INITIALIZER, _INPUT, _INPUT_NAME = 7, 5, 11, 1
_IR_VERSION, _IR_WITHOUT_DEFAULTS = 1, 4
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_FIXED_LISTS, _NUMBER_LISTS = {4, 10}, {5, 7, 11}
"""float_data and double_data are the octets themselves; int32_data, int64_data, uint64_data are
numbers, of which as many octets count as the element type has."""
_DATA_LOCATION, _INLINE = 14, 0
_TENSOR = "tensor"
_PARTS = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: _TENSOR, 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: _TENSOR, 6: "graph", 10: _TENSOR, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: _TENSOR, 2: _TENSOR},
}
"""Message -> its fields in which there may be tensors, and of which message each is."""
_DEPTH_MAX = 100
"""As many messages within messages as the format's own readers take."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES_MAX = 10
NUMPY_TYPES = {
    1: "<f4",
    2: "|u1",
    3: "|i1",
    4: "<u2",
    5: "<i2",
    6: "<i4",
    7: "<i8",
    9: "|b1",
    10: "<f2",
    11: "<f8",
    12: "<u4",
    13: "<u8",
}
"""TensorProto.DataType -> the array library's word for it; types it has no word for are missing."""


class OnnxError(ValueError):
    """The bytes are no ONNX container; one line."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One initializer: name, element type in the array library's words, shape, and its octets."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview


def weights_of(model: bytes) -> tuple[Weight, ...]:
    """Return the initializers of a network that can be kept in own memory; raises OnnxError."""
    found = []
    for graph in _messages(memoryview(model), _GRAPH):
        for tensor in _messages(graph, _INITIALIZER):
            weight = _weight(tensor)
            if weight is not None:
                found.append(weight)
    return tuple(found)


def require_whole(model: bytes) -> None:
    """Raise OnnxError for a network of which a part lies in another file."""
    for tensor in _tensors(memoryview(model), "model", _DEPTH_MAX):
        named = ""
        outside = False
        for number, _, value in _fields(tensor):
            if number == _NAME and isinstance(value, memoryview):
                named = bytes(value).decode("utf-8", "replace")
            outside = outside or (number == _DATA_LOCATION and value != _INLINE)
        if outside:
            raise OnnxError(f"tensor {named!r} lies in another file; allowed: all in one")


def _tensors(data: memoryview, kind: str, left: int) -> Iterator[memoryview]:
    if kind == _TENSOR:
        yield data
        return
    if not left:
        raise OnnxError(f"nested deeper than {_DEPTH_MAX}")
    parts = _PARTS[kind]
    for number, _, value in _fields(data):
        if number in parts and isinstance(value, memoryview):
            yield from _tensors(value, parts[number], left - 1)


def without_defaults(model: bytes) -> bytes:
    """Return the network with no weight named as an input as well; raises OnnxError.

    Files of before 2019 (IR version 3) had to name them there. What is left of such an input once
    the weight has been folded away is an input that nobody feeds.
    """
    weights = {weight.name for weight in weights_of(model)}
    return b"".join(
        _field(number, wire, _kept(number, value, weights))
        for number, wire, value in _fields(memoryview(model))
    )


def _kept(number: int, value: int | memoryview, weights: set[str]) -> int | bytes | memoryview:
    """What stays of one field of a model."""
    if isinstance(value, int):
        return max(value, _IR_WITHOUT_DEFAULTS) if number == _IR_VERSION else value
    if number != _GRAPH:
        return value
    return b"".join(
        _field(*each)
        for each in _fields(value)
        if each[0] != _INPUT or _name_of(each[2]) not in weights
    )


def _name_of(value_info: int | memoryview) -> str:
    named = value_info if isinstance(value_info, memoryview) else memoryview(b"")
    names = [bytes(each).decode("utf-8", "replace") for each in _messages(named, _INPUT_NAME)]
    return names[-1] if names else ""


def _field(number: int, wire: int, value: int | bytes | memoryview) -> bytes:
    key = _number(number << 3 | wire)
    if isinstance(value, int):
        return key + _number(value)
    return b"".join((key, _number(len(value)) if wire == _BYTES else b"", value))


def _number(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _weight(tensor: memoryview) -> Weight | None:
    dims: list[int] = []
    kind, name = 0, ""
    raw: memoryview | None = None
    numbers: list[int] = []
    for number, _, value in _fields(tensor):
        if number == _DIMS:
            dims += _numbers(value)
        elif number in _NUMBER_LISTS:
            numbers += _numbers(value)
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif isinstance(value, memoryview) and number == _NAME:
            name = bytes(value).decode("utf-8", "replace")
        elif isinstance(value, memoryview) and (number == _RAW or number in _FIXED_LISTS):
            raw = value
    if kind not in NUMPY_TYPES:
        return None
    dtype = NUMPY_TYPES[kind]
    if raw is None:
        raw = memoryview(_octets(numbers, int(dtype[-1])))
    if len(raw) != int(dtype[-1]) * prod(dims):
        return None
    return Weight(name, dtype, tuple(dims), raw)


def _octets(numbers: list[int], size: int) -> bytes:
    mask = (1 << 8 * size) - 1
    return b"".join((each & mask).to_bytes(size, "little") for each in numbers)


def _numbers(value: int | memoryview) -> list[int]:
    """Of a repeated field: one, or packed."""
    return [value] if isinstance(value, int) else _packed(value)


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, _, value in _fields(data):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _fields(data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Every field of one message: number, wire type, value (octets for what has a length)."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in {_FIXED64, _FIXED32}:
            size = 8 if wire == _FIXED64 else 4
        else:
            raise OnnxError(f"wire type {wire} at octet {at} is none of an ONNX file")
        if at + size > len(data):
            raise OnnxError(f"field {number} at octet {at} goes beyond the end")
        yield number, wire, data[at : at + size]
        at += size


def _packed(data: memoryview) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(_VARINT_BYTES_MAX):
        if at >= len(data):
            break
        octet = data[at]
        at += 1
        value |= (octet & 0x7F) << (7 * shift)
        if octet < 0x80:
            return value, at
    raise OnnxError(f"number at octet {at} does not end")
