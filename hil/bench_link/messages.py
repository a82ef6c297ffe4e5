"""What a message of the bench link says, a value a type; the fields are those of bench_link.h.

Units as in that header: nanoseconds of the sender's monotonic clock unless a field says mission
time.
"""

from __future__ import annotations

from typing import NamedTuple


class Hello(NamedTuple):
    """Who opens a session, and who answers; `peer_session` is the one answered, 0 in HELLO."""

    abi_version: int
    schema_crc32c: int
    role: int
    mode: int
    payload_bytes_max: int
    frame_bytes_max: int
    frames_credit: int
    period_us: int
    boot_count: int
    peer_session: int


class Heartbeat(NamedTuple):
    """One end's counters as it tells them; `late` are samples, `frames_sent` whole frames."""

    uptime_ms: int
    rx_messages: int
    rx_corrupt: int
    rx_lost: int
    rx_stale: int
    tx_messages: int
    tx_dropped: int
    queue_depth: int
    frames_broken: int
    late: int
    frames_sent: int


class TimeRequest(NamedTuple):
    """Asks for the peer's clock; t1 is the message's own time."""

    id: int


class TimeReply(NamedTuple):
    """t1 as asked, t2 when it came; t3 is the message's own time."""

    id: int
    request_t_ns: int
    received_t_ns: int


class Sensors(NamedTuple):
    """What every sensor shows in a tick; between tick and throttle `hal.sample.SENSOR_FIELDS`."""

    tick: int
    t_ns: int
    utc_ns: int
    valid: int
    stuck: int
    array_mw: int
    bus_mw: int
    battery_mv: int
    battery_ma: int
    battery_mdegc: int
    payload_mw: int
    laser_mw: int
    die_mdegc: int
    sink_mdegc: int
    radiator_mdegc: int
    sun_permille: int
    term_flags: int
    rx_power_mdbm: int
    term_mdegc: int
    reset_cause: int
    boot_count: int
    throttle_live: int
    estimated: int


class ActuatorState(NamedTuple):
    """What everything shall be (ACTUATORS), or is (ACTUATED)."""

    number: int
    payload_level: int
    laser_on: int
    target_id: int
    heater_on: int
    payload_busy_permille: int
    watchdog_kicks: int
    tick: int


class Grant(NamedTuple):
    """The node may act until `until_ns` of mission time, inclusive."""

    tick: int
    until_ns: int
    utc_ns: int


class Done(NamedTuple):
    """Nothing is left to do in this tick; stands on the actuators of that number."""

    tick: int
    actuators_number: int
    frames_sent: int


class FrameChunk(NamedTuple):
    """A piece of a laser frame."""

    frame_id: int
    frame_bytes: int
    offset: int
    octets: bytes


class Credit(NamedTuple):
    """All since HELLO; the last three are 0 towards a bench."""

    frames_granted: int
    frames_by_light: int = 0
    frames_overflowed: int = 0
    frames_flushed: int = 0


class RegRead(NamedTuple):
    """Asks for terminal registers."""

    id: int
    first: int
    registers: int


class RegWrite(NamedTuple):
    """Sets one terminal register."""

    id: int
    reg: int
    zero: int
    value: int


class RegValues(NamedTuple):
    """Answers both; `octets` are the values, 4 each, none with a negative code."""

    id: int
    first: int
    registers: int
    code: int
    octets: bytes


class Octets(NamedTuple):
    """ECHO, ECHO_REPLY, BIT_TEST and TELL."""

    octets: bytes


class NodeReset(NamedTuple):
    """The bench cuts the node's power; `cause` as in `hal.sample.ResetCause`."""

    cause: int


class Refuse(NamedTuple):
    """`reason` as in `Refusal`."""

    reason: int


Payload = (
    Hello | Heartbeat | TimeRequest | TimeReply | Sensors | ActuatorState | Grant | Done
    | FrameChunk | Credit | RegRead | RegWrite | RegValues | Octets | NodeReset | Refuse
)  # fmt: skip
