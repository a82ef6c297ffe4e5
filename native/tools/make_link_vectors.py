"""Writes tests/vectors/bench_link.json; `make -C native vectors` runs it.

An implementation of native/include/bench_link.h of its own, as plain as can be: a check value bit
by bit, COBS byte by byte, payloads through `struct`. The C side and the Python side are held to
what it writes.
"""

from __future__ import annotations

import json
import re
import struct
import sys
from pathlib import Path

PROTOCOL_VERSION = 1
CRC32C_POLYNOMIAL = 0x82F63B78  # RFC 3720, B.4, reflected
WIRE_BYTES_MAX = 4138
PAYLOAD_BYTES_MAX = 4096

CONTROL, SAMPLE, FRAME, TEST = range(4)
CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i32": "i", "i64": "q"}

HEADER = "u8 version u8 type u8 channel u8 flags u16 seq u16 payload_bytes u32 session u64 t_ns"
HELLO = (
    "u32 abi_version u32 schema_crc32c u8 role u8 mode u16 payload_bytes_max u32 frame_bytes_max "
    "u32 frames_credit u32 period_us u32 boot_count u32 peer_session"
)
HEARTBEAT = (
    "u64 uptime_ms u32 rx_messages u32 rx_corrupt u32 rx_lost u32 rx_stale u32 tx_messages "
    "u32 tx_dropped u32 queue_depth u32 frames_broken u32 late u32 frames_sent"
)
SENSORS = (
    "u64 tick u64 t_ns i64 utc_ns u32 valid u32 stuck i32 array_mw i32 bus_mw i32 battery_mv "
    "i32 battery_ma i32 battery_mdegc i32 payload_mw i32 laser_mw i32 die_mdegc i32 sink_mdegc "
    "i32 radiator_mdegc i32 sun_permille u32 term_flags i32 rx_power_mdbm i32 term_mdegc "
    "u32 reset_cause u32 boot_count u32 throttle_live u32 estimated"
)
ACTUATORS = (
    "u32 number u32 payload_level u32 laser_on u32 target_id u32 heater_on "
    "u32 payload_busy_permille u64 watchdog_kicks u64 tick"
)
CREDIT = "u64 frames_granted u64 frames_by_light u64 frames_overflowed u64 frames_flushed"

# (name, number, channel, fields; a last word without a name is what the fields are followed by)
TYPES = (
    ("HELLO", 1, CONTROL, HELLO),
    ("HELLO_REPLY", 2, CONTROL, HELLO),
    ("HEARTBEAT", 3, CONTROL, HEARTBEAT),
    ("TIME_REQUEST", 4, CONTROL, "u32 id"),
    ("TIME_REPLY", 5, CONTROL, "u32 id u64 request_t_ns u64 received_t_ns"),
    ("SENSORS", 6, SAMPLE, SENSORS),
    ("ACTUATORS", 7, CONTROL, ACTUATORS),
    ("ACTUATED", 8, CONTROL, ACTUATORS),
    ("GRANT", 9, CONTROL, "u64 tick u64 until_ns i64 utc_ns"),
    ("DONE", 10, CONTROL, "u64 tick u32 actuators_number u32 frames_sent"),
    ("FRAME_CHUNK", 11, FRAME, "u32 frame_id u32 frame_bytes u32 offset octets"),
    ("CREDIT", 12, SAMPLE, CREDIT),
    ("REG_READ", 13, CONTROL, "u32 id u16 first u16 count"),
    ("REG_WRITE", 14, CONTROL, "u32 id u16 reg u16 reserved u32 value"),
    ("REG_VALUES", 15, CONTROL, "u32 id u16 first u16 count i32 code words"),
    ("ECHO", 16, TEST, "octets"),
    ("ECHO_REPLY", 17, TEST, "octets"),
    ("BIT_TEST", 18, TEST, "octets"),
    ("NODE_RESET", 19, CONTROL, "u32 cause"),
    ("REFUSE", 20, CONTROL, "u32 reason"),
    ("TELL", 21, FRAME, "octets"),
)
NUMBERS = {name: number for name, number, _, _ in TYPES}
CHANNELS = {name: channel for name, _, channel, _ in TYPES}
FIELDS = {name: fields for name, _, _, fields in TYPES}


SCHEMA = (
    "1:IIBBHIIIII;2:IIBBHIIIII;3:Q10I;4:I;5:IQQ;6:QQqII11iIiiIIII;7:6IQQ;8:6IQQ;9:QQq;10:QII;"
    "11:III*;12:QQQQ;13:IHH;14:IHHI;15:IHHi*;16:*;17:*;18:*;19:I;20:I;21:*"
)


def check_schema() -> None:
    """The text both sides take the digest of says what the table above says."""
    for line, (name, number, _, fields) in zip(SCHEMA.split(";"), TYPES, strict=True):
        letters = layout_of(fields)[0][1:] + ("*" if fields.endswith(("octets", "words")) else "")
        told = re.sub(r"(\d+)(\D)", lambda m: m[2] * int(m[1]), line.split(":")[1])
        assert line.split(":")[0] == str(number), name
        assert told == letters, name


def crc32c(data: bytes) -> int:
    """CRC-32C, a bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (CRC32C_POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def cobs(plain: bytes) -> bytes:
    """Consistent overhead byte stuffing, without the zero at the end."""
    coded = bytearray()
    blocks = plain.split(b"\0")
    for i, block in enumerate(blocks):
        rest = block
        while len(rest) >= 254:
            coded += b"\xff" + rest[:254]
            rest = rest[254:]
        last = i == len(blocks) - 1
        if rest or not (last and block):
            coded += bytes([len(rest) + 1]) + rest
    return bytes(coded)


def prbs15(octets: int) -> bytes:
    """ITU-T O.150: x^15 + x^14 + 1, from the state of ones, most significant bit first."""
    state, out = 0x7FFF, bytearray()
    for _ in range(octets):
        byte = 0
        for _ in range(8):
            byte = byte << 1 | state >> 14
            state = (state << 1 | (state >> 14 ^ state >> 13) & 1) & 0x7FFF
        out.append(byte)
    return bytes(out)


def layout_of(fields: str) -> tuple[str, list[str]]:
    """The `struct` format of the fixed fields, and their names."""
    words = fields.split()
    pairs = [
        (kind, name) for kind, name in zip(words[::2], words[1::2], strict=False) if kind in CODES
    ]
    return "<" + "".join(CODES[kind] for kind, _ in pairs), [name for _, name in pairs]


def telling_values(fields: str, seed: int) -> dict[str, int]:
    """A value for each field in which no two octets of the payload are alike by position."""
    form, names = layout_of(fields)
    size = struct.calcsize(form)
    octets = bytes((seed + 7 * i) % 255 + 1 for i in range(size))
    values = dict(zip(names, struct.unpack(form, octets), strict=True))
    return values | {name: 0 for name in names if name == "reserved"}


def payload_of(name: str, values: dict[str, int], tail: bytes) -> bytes:
    """Fixed fields, then the tail."""
    form, names = layout_of(FIELDS[name])
    return struct.pack(form, *(values[field] for field in names)) + tail


def octets_of(name: str, payload: bytes, header: dict[str, int]) -> bytes:
    """Header, payload and check value."""
    form, names = layout_of(HEADER)
    values = {
        "version": PROTOCOL_VERSION,
        "type": NUMBERS[name],
        "channel": CHANNELS[name],
        "flags": 0,
        "payload_bytes": len(payload),
    } | header
    body = struct.pack(form, *(values[field] for field in names)) + payload
    return body + struct.pack("<I", crc32c(body))


def message(label: str, name: str, values: dict[str, int], tail: bytes, **header: int) -> dict:
    """One vector."""
    payload = payload_of(name, values, tail)
    raw = octets_of(name, payload, header)
    return {
        "name": label,
        "type": name,
        "version": header.get("version", PROTOCOL_VERSION),
        "seq": header["seq"],
        "session": header["session"],
        "t_ns": header["t_ns"],
        "fields": values,
        "tail": tail.hex(),
        "message": raw.hex(),
        "wire": cobs(raw).hex() + "00",
    }


def messages() -> list[dict]:
    """Every type with telling values, then the edges."""
    found = []
    for name, number, _, fields in TYPES:
        values, tail = telling_values(fields, 31 * number), b""
        if fields.endswith("octets"):
            tail = prbs15(100) if name == "BIT_TEST" else bytes(range(200))
        if fields.endswith("words"):
            values["count"], values["code"] = 3, 0
            tail = struct.pack("<3I", 0x4C54524D, 0, 0x80000000)
        header = {"seq": 1000 + number, "session": 0xC0FFEE00 + number, "t_ns": 10**18 + number}
        found.append(message(name.lower(), name, values, tail, **header))
    zero = {"seq": 0, "session": 0, "t_ns": 0}
    last = {"seq": 0xFFFF, "session": 0xFFFFFFFF, "t_ns": 2**64 - 1}
    least = dict.fromkeys(layout_of(ACTUATORS)[1], 0)
    coldest = {n: -(2**31) if n.endswith("mdegc") else 0 for n in layout_of(SENSORS)[1]}
    hello = telling_values(HELLO, 5)
    found += [
        message("nothing but zeros", "ACTUATORS", least, b"", **zero),
        message("everything at its last value", "CREDIT", FULL_CREDIT, b"", **last),
        message("negative temperatures", "SENSORS", coldest, b"", **zero),
        message("an empty echo", "ECHO", {}, b"", **zero),
        message("the longest message, ones", "ECHO", {}, b"\xff" * PAYLOAD_BYTES_MAX, **last),
        message("the longest message, zeros", "ECHO", {}, bytes(PAYLOAD_BYTES_MAX), **zero),
        message("a write answered with a refusal", "REG_VALUES", REFUSED, b"", **zero),
        message("a hello of another version", "HELLO", hello, b"", version=2, **zero),
    ]
    return found


FULL_CREDIT = dict.fromkeys(layout_of(CREDIT)[1], 2**64 - 1)
REFUSED = {"id": 7, "first": 15, "count": 0, "code": -6}


def rejected() -> list[dict]:
    """What a decoder refuses, and the counter that tells of it."""
    zero = {"seq": 0, "session": 0, "t_ns": 0}
    done = payload_of("DONE", {"tick": 1, "actuators_number": 2, "frames_sent": 3}, b"")
    good = octets_of("DONE", done, zero)
    flipped = bytearray(good)
    flipped[25] ^= 0x40
    chunk = payload_of("FRAME_CHUNK", {"frame_id": 0, "frame_bytes": 9, "offset": 0}, b"")
    values = payload_of("REG_VALUES", {"id": 1, "first": 0, "count": 2, "code": 0}, bytes(4))
    cases = {
        "one bit wrong": ("corrupt", bytes(flipped)),
        "the last octet lost": ("corrupt", good[:-1]),
        "no room for a header": ("corrupt", good[:23]),
        "an empty message": ("corrupt", b"\0"),
        "another version": ("bad_layout", octets_of("DONE", done, zero | {"version": 2})),
        "type 0": ("bad_layout", octets_of("DONE", done, zero | {"type": 0})),
        "type 22": ("bad_layout", octets_of("DONE", done, zero | {"type": 22})),
        "another channel": ("bad_layout", octets_of("DONE", done, zero | {"channel": 1})),
        "a flag": ("bad_layout", octets_of("DONE", done, zero | {"flags": 1})),
        "too short for its type": ("bad_layout", octets_of("DONE", done[:-1], zero)),
        "too long for its type": ("bad_layout", octets_of("DONE", done + b"\0", zero)),
        "a length that lies": (
            "bad_layout",
            octets_of("DONE", done, zero | {"payload_bytes": 15}),
        ),
        "a chunk of nothing": ("bad_layout", octets_of("FRAME_CHUNK", chunk, zero)),
        "a record of nothing": ("bad_layout", octets_of("TELL", b"", zero)),
        "fewer registers than told": ("bad_layout", octets_of("REG_VALUES", values, zero)),
    }
    found = [
        {"name": label, "counter": counter, "wire": cobs(raw).hex() + "00"}
        for label, (counter, raw) in cases.items()
    ]
    coded = cobs(good)
    found.append({"name": "a block cut short", "counter": "corrupt", "wire": "05010200"})
    found.append({"name": "half a message", "counter": "corrupt", "wire": coded[:20].hex() + "00"})
    endless = b"\x01" * WIRE_BYTES_MAX
    found.append({"name": "endless", "counter": "too_long", "wire": endless.hex() + "00"})
    return found


def cobs_pairs() -> list[dict]:
    """Plain and coded, around each length where a block ends."""
    plains = {
        "nothing": b"",
        "a zero": b"\0",
        "two zeros": b"\0\0",
        "one": b"\x01",
        "the paper's example": bytes.fromhex("4500002c4c79000040064f37"),
        "253": bytes(range(1, 254)),
        "254": bytes(range(1, 255)),
        "255": bytes(range(1, 256)),
        "254 and a zero": bytes(range(1, 255)) + b"\0",
        "254, a zero, 254": bytes(range(1, 255)) + b"\0" + bytes(range(1, 255)),
        "508": bytes(range(1, 255)) * 2,
        "a zero and 254": b"\0" + bytes(range(1, 255)),
    }
    return [
        {"name": name, "plain": plain.hex(), "coded": cobs(plain).hex()}
        for name, plain in plains.items()
    ]


def vectors() -> dict:
    """The whole file."""
    check_schema()
    return {
        "source": "native/tools/make_link_vectors.py, from native/include/bench_link.h",
        "schema": SCHEMA,
        "schema_crc32c": crc32c(SCHEMA.encode("ascii")),
        "prbs15": prbs15(64).hex(),
        "cobs": cobs_pairs(),
        "messages": messages(),
        "rejected": rejected(),
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(vectors(), indent=1) + "\n", encoding="ascii")
