"""A sequence: named steps of the dictionary, each with its time, judged before it ever runs.

Pure. On the wire and in the store a sequence is msgpack, covered by the CRC-32C of the load that
brought it; on the ground it is written as TOML (`sequence_text`). A step waits for `after_ms` of
mission time since the step before was done, or for an instant of UTC. A delay is never shorter
than written; an instant follows the clock when UTC is corrected.

What a sequence may not hold, whoever wrote it: an instant before the one of an earlier step, both
kinds of time on one step, a step that no mode the sequence runs in allows, a dangerous step that
is not marked as confirmed, its own start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from flight.commanding.loadable import LoadVerdict
from flight.telemetry.command_table import SequenceName, SequenceStart
from flight.telemetry.dictionary import COMMAND_BY_TYPE, Command, Mode
from flight.wire.telecommand import CommandReason, decode_command

FORMAT_VERSION = 1
"""Of the msgpack below; a load of another one is refused."""
STEPS_MAX = 128
SEQUENCE_BYTES_MAX = 8_192
AFTER_MS_MAX = 7 * 86_400_000
"""A relative delay of more than a week is a typing mistake."""
UTC_MS_MIN, UTC_MS_MAX = 1_577_836_800_000, 4_102_444_800_000
"""2020-01-01 to 2100-01-01."""
LATE_S_MAX = 86_400

NOMINAL = frozenset({Mode.IDLE, Mode.COMPUTE, Mode.DOWNLINK})


@dataclass(frozen=True, slots=True)
class Step:
    """One telecommand and its time.

    Attributes:
        after_ms: milliseconds of mission time after the step before; of the first, after the start.
        at_utc_ms: Unix milliseconds, instead of a delay.
        confirmed: the author knows that the command is dangerous.
    """

    command: Command
    after_ms: int = 0
    at_utc_ms: int | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """What is loaded, kept and run.

    Attributes:
        name: by which commands and the fault table call it.
        version: the author's count.
        steps: in the order in which they are done.
        in_safe: it goes on in SAFE; without that it is aborted when the node goes there.
        late_s: a step whose instant has passed by no more than this is done at once, a later one
            is skipped and counted.
    """

    name: str
    version: int
    steps: tuple[Step, ...]
    in_safe: bool = False
    late_s: int = 60

    @property
    def modes(self) -> frozenset[Mode]:
        """The modes it runs in. In BOOT it waits."""
        return NOMINAL | {Mode.SAFE} if self.in_safe else NOMINAL


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a sequence: the verdict, the step's number from 1 (0: none), and why."""

    verdict: LoadVerdict
    step: int = 0
    why: str = ""


GOOD = Finding(LoadVerdict.OK)


class _WireStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    cmd: msgspec.Raw
    after_ms: Annotated[int, Meta(ge=0, le=AFTER_MS_MAX)] = 0
    at_utc_ms: Annotated[int, Meta(ge=UTC_MS_MIN, le=UTC_MS_MAX)] | None = None
    confirmed: bool = False


class _WireSequence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    name: SequenceName
    version: Annotated[int, Meta(ge=0, le=65_535)]
    steps: Annotated[tuple[_WireStep, ...], Meta(min_length=1, max_length=STEPS_MAX)]
    in_safe: bool = False
    late_s: Annotated[int, Meta(ge=0, le=LATE_S_MAX)] = 60


_DECODER = msgspec.msgpack.Decoder(_WireSequence)
_ENCODER = msgspec.msgpack.Encoder()


def encode_sequence(sequence: Sequence) -> bytes:
    """The sequence as a load; no judgement."""
    steps = tuple(
        _WireStep(
            msgspec.Raw(_ENCODER.encode(step.command)),
            step.after_ms,
            step.at_utc_ms,
            step.confirmed,
        )
        for step in sequence.steps
    )
    wire = _WireSequence(sequence.name, sequence.version, steps, sequence.in_safe, sequence.late_s)
    return _ENCODER.encode(wire)


def decode_sequence(data: bytes) -> Sequence | Finding:
    """Reads and judges a load; never raises on any bytes."""
    if len(data) > SEQUENCE_BYTES_MAX:
        return Finding(LoadVerdict.OUT_OF_RANGE, 0, f"{len(data)} octets")
    try:
        wire = _DECODER.decode(data)
    except msgspec.ValidationError as error:
        return Finding(LoadVerdict.OUT_OF_RANGE, 0, str(error))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Finding(LoadVerdict.UNREADABLE, 0, str(error))
    steps: list[Step] = []
    for number, each in enumerate(wire.steps, start=1):
        command = decode_command(each.cmd)
        if isinstance(command, CommandReason):
            return Finding(LoadVerdict(command), number, "no such command or argument")
        steps.append(Step(command, each.after_ms, each.at_utc_ms, each.confirmed))
    sequence = Sequence(wire.name, wire.version, tuple(steps), wire.in_safe, wire.late_s)
    finding = judge_sequence(sequence)
    return sequence if finding is GOOD else finding


def judge_sequence(sequence: Sequence) -> Finding:
    """Whether the steps make sense together; the first thing that does not, or GOOD."""
    latest_ms = 0
    for number, step in enumerate(sequence.steps, start=1):
        finding = _judge_step(sequence, step, latest_ms)
        if finding is not GOOD:
            return Finding(finding.verdict, number, finding.why)
        latest_ms = step.at_utc_ms or latest_ms
    return GOOD


def _judge_step(sequence: Sequence, step: Step, latest_ms: int) -> Finding:
    definition = COMMAND_BY_TYPE[type(step.command)]
    if step.at_utc_ms is not None and step.after_ms:
        return Finding(LoadVerdict.REFUSED, why="a delay and an instant on one step")
    if step.at_utc_ms is not None and step.at_utc_ms < latest_ms:
        return Finding(LoadVerdict.REFUSED, why="its instant is before that of an earlier step")
    if not definition.modes & sequence.modes:
        return Finding(LoadVerdict.WRONG_MODE, why=f"{definition.name} is taken in no such mode")
    if definition.dangerous and not step.confirmed:
        return Finding(LoadVerdict.REFUSED, why=f"{definition.name} is dangerous and not confirmed")
    if isinstance(step.command, SequenceStart) and step.command.name == sequence.name:
        return Finding(LoadVerdict.REFUSED, why="it starts itself")
    return GOOD
