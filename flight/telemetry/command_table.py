"""Every telecommand.

Commands are msgspec tagged Structs: decoding one *is* its validation, so a value outside its
range never reaches a handler.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from flight.telemetry.definitions import CommandDef, Mode

ProductId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
ValueMillis = Annotated[int, Meta(ge=0, le=1_000_000_000)]
EventName = Annotated[str, Meta(min_length=1, max_length=48)]
ParameterName = Annotated[str, Meta(min_length=1, max_length=48)]
RecoveryName = Annotated[str, Meta(min_length=1, max_length=32)]
ComponentName = Annotated[str, Meta(min_length=1, max_length=24)]
LoadKind = Annotated[str, Meta(min_length=1, max_length=24)]
SequenceName = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,31}$")]
KeepOutPeer = Annotated[int, Meta(ge=0, le=65_535)]
"""A peer of the contact plan; 0 is every one."""
WholeUtcS = Annotated[int, Meta(ge=1_000_000_000, le=4_102_444_800)]
KeepOutWindows = Annotated[
    str, Meta(pattern="^([0-9]{10}-[0-9]{10}(,[0-9]{10}-[0-9]{10}){0,23})?$")
]
"""Unix seconds, at most 24 windows: with its names and identity it still fits a telecommand."""
LOAD_BYTES_MAX = 262_144
"""The most that any kind of load may ask for: what its buffer can cost the flight process."""
LOAD_PART_BYTES_MAX = 896
"""With its names and identity it still fits a telecommand."""


class NoOp(msgspec.Struct, frozen=True, tag="NO_OP"):
    """Proves the whole command path and feeds the command-loss timer."""


class SetMode(msgspec.Struct, frozen=True, tag="SET_MODE"):
    """Asks for a mode; DOWNLINK is entered by a contact, never by command."""

    mode: Literal["SAFE", "IDLE", "COMPUTE"]


class ResetNode(msgspec.Struct, frozen=True, tag="RESET_NODE"):
    """Ends the flight software in order, to be started again; its answer leaves first."""


class ClearResets(msgspec.Struct, frozen=True, tag="CLEAR_RESETS"):
    """Forgets the unplanned starts in a row: the next start is no boot loop."""


class SetParameter(msgspec.Struct, frozen=True, tag="SET_PARAMETER"):
    """Sets one parameter; its own range is checked against the parameter table."""

    name: ParameterName
    value: float


class EnableInference(msgspec.Struct, frozen=True, tag="ENABLE_INFERENCE"):
    """Lets the payload run when mode, power and heat allow it."""


class DisableInference(msgspec.Struct, frozen=True, tag="DISABLE_INFERENCE"):
    """Holds the payload at its lowest level whatever power and heat allow."""


class DeleteProduct(msgspec.Struct, frozen=True, tag="DELETE_PRODUCT"):
    """Gives up one product, on the queue and on the store."""

    product_id: ProductId


class Reprioritise(msgspec.Struct, frozen=True, tag="REPRIORITISE"):
    """Gives one product a new value, in thousandths of a value unit."""

    product_id: ProductId
    value_millis: ValueMillis


class Disarm(msgspec.Struct, frozen=True, tag="DISARM"):
    """Takes back the first of the two steps of a dangerous command."""


class LoadBegin(msgspec.Struct, frozen=True, tag="LOAD_BEGIN"):
    """Makes room for a load; the same again keeps the pieces that have come."""

    kind: LoadKind
    size_bytes: Annotated[int, Meta(ge=1, le=LOAD_BYTES_MAX)]
    crc32c: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    version: Annotated[int, Meta(ge=0, le=65_535)]


class LoadPart(msgspec.Struct, frozen=True, tag="LOAD_PART"):
    """One piece of the load, in any order; on a command line the data are base64."""

    offset: Annotated[int, Meta(ge=0, le=LOAD_BYTES_MAX - 1)]
    data: Annotated[bytes, Meta(min_length=1, max_length=LOAD_PART_BYTES_MAX)]


class LoadValidate(msgspec.Struct, frozen=True, tag="LOAD_VALIDATE"):
    """Judges the load whole; changes nothing."""


class LoadActivate(msgspec.Struct, frozen=True, tag="LOAD_ACTIVATE"):
    """Puts the validated load in force and keeps the former set."""


class LoadDiscard(msgspec.Struct, frozen=True, tag="LOAD_DISCARD"):
    """Empties the working buffer."""


class LoadRollBack(msgspec.Struct, frozen=True, tag="LOAD_ROLL_BACK"):
    """Puts the former set of a kind in force again."""

    kind: LoadKind


class LoadDump(msgspec.Struct, frozen=True, tag="LOAD_DUMP"):
    """Asks for the set in force of a kind, to be read back and compared on the ground."""

    kind: LoadKind


class SequenceStart(msgspec.Struct, frozen=True, tag="SEQUENCE_START"):
    """Starts a sequence that is on board; ends with its last step."""

    name: SequenceName


class SequenceAbort(msgspec.Struct, frozen=True, tag="SEQUENCE_ABORT"):
    """Ends a running sequence before its next step."""

    name: SequenceName


class SequenceHold(msgspec.Struct, frozen=True, tag="SEQUENCE_HOLD"):
    """Stops a running sequence; what is left of a delay is kept."""

    name: SequenceName


class SequenceResume(msgspec.Struct, frozen=True, tag="SEQUENCE_RESUME"):
    """Lets a held sequence go on."""

    name: SequenceName


class SequenceStep(msgspec.Struct, frozen=True, tag="SEQUENCE_STEP"):
    """Has the next step of a held sequence done now, whatever its time."""

    name: SequenceName


class SequenceDelete(msgspec.Struct, frozen=True, tag="SEQUENCE_DELETE"):
    """Takes an uploaded sequence off the node; one that is shipped comes back."""

    name: SequenceName


class DumpParameters(msgspec.Struct, frozen=True, tag="DUMP_PARAMETERS"):
    """Asks for a report of every parameter: value, and whether it is the default."""


class FilterEvents(msgspec.Struct, frozen=True, tag="FILTER_EVENTS"):
    """Holds back every event below a severity; FATAL is always told."""

    severity: Literal["DEBUG", "INFO", "NOTICE", "WARNING", "ALARM", "FATAL"]


class HoldEvent(msgspec.Struct, frozen=True, tag="HOLD_EVENT"):
    """Holds back one event by its name, or tells it again."""

    event: EventName
    held: bool


class RecoverySetActivity(msgspec.Struct, frozen=True, tag="RECOVERY_SET_ACTIVITY"):
    """Makes one row of the recovery table act, only count what it would do, or rest."""

    row: RecoveryName
    activity: Literal["ACTIVE", "SHADOW", "DISABLED"]


class RecoveryArm(msgspec.Struct, frozen=True, tag="RECOVERY_ARM"):
    """Arms a spent row again, with all its tries; if its condition holds, it fires."""

    row: RecoveryName


class SetHealth(msgspec.Struct, frozen=True, tag="SET_HEALTH"):
    """The ground's word on a component: its own to control, not to be used any more, or cleared."""

    component: ComponentName
    word: Literal["EXTERNAL_CONTROL", "PERMANENTLY_FAULTY", "CLEAR"]


class KeepOutAdd(msgspec.Struct, frozen=True, tag="KEEP_OUT_ADD"):
    """One more time in which the terminal is dark and looks away from a peer (0: every one)."""

    peer_id: KeepOutPeer
    start_utc_s: WholeUtcS
    end_utc_s: WholeUtcS


class KeepOutSet(msgspec.Struct, frozen=True, tag="KEEP_OUT_SET"):
    """These windows alone stand before a peer (0: those before every one); none clears them."""

    peer_id: KeepOutPeer
    windows: KeepOutWindows


Command = (
    NoOp
    | SetMode
    | ResetNode
    | ClearResets
    | SetParameter
    | EnableInference
    | DisableInference
    | DeleteProduct
    | Reprioritise
    | Disarm
    | LoadBegin
    | LoadPart
    | LoadValidate
    | LoadActivate
    | LoadDiscard
    | LoadRollBack
    | LoadDump
    | SequenceStart
    | SequenceAbort
    | SequenceHold
    | SequenceResume
    | SequenceStep
    | SequenceDelete
    | DumpParameters
    | FilterEvents
    | HoldEvent
    | RecoverySetActivity
    | RecoveryArm
    | SetHealth
    | KeepOutAdd
    | KeepOutSet
)

_ANY = frozenset(Mode)
_AWAKE = _ANY - {Mode.BOOT}

COMMANDS: tuple[CommandDef, ...] = (
    CommandDef("NO_OP", NoOp, _ANY, "does nothing, answers, feeds the command-loss timer"),
    CommandDef("SET_MODE", SetMode, _AWAKE, "asks for SAFE, IDLE or COMPUTE"),
    CommandDef("RESET_NODE", ResetNode, _ANY, "ends the software, to be started again", True),
    CommandDef("CLEAR_RESETS", ClearResets, _ANY, "forgets the unplanned starts in a row"),
    CommandDef("SET_PARAMETER", SetParameter, _AWAKE, "sets a parameter inside its range"),
    CommandDef("ENABLE_INFERENCE", EnableInference, _AWAKE, "allows inference"),
    CommandDef("DISABLE_INFERENCE", DisableInference, _AWAKE, "forbids inference"),
    CommandDef("DELETE_PRODUCT", DeleteProduct, _AWAKE, "gives up a product"),
    CommandDef("REPRIORITISE", Reprioritise, _AWAKE, "gives a product a new value"),
    CommandDef("DISARM", Disarm, _AWAKE, "takes back an armed command before it is done"),
    CommandDef("LOAD_BEGIN", LoadBegin, _AWAKE, "makes room for a load of a kind"),
    CommandDef("LOAD_PART", LoadPart, _AWAKE, "one piece of the load"),
    CommandDef("LOAD_VALIDATE", LoadValidate, _AWAKE, "judges the load; changes nothing"),
    CommandDef("LOAD_ACTIVATE", LoadActivate, _AWAKE, "puts the validated load in force"),
    CommandDef("LOAD_DISCARD", LoadDiscard, _AWAKE, "empties the working buffer"),
    CommandDef("LOAD_ROLL_BACK", LoadRollBack, _AWAKE,
               "puts the former set of a kind in force again", dangerous=True),
    CommandDef("LOAD_DUMP", LoadDump, _AWAKE, "sends the set in force of a kind down"),
    CommandDef("SEQUENCE_START", SequenceStart, _AWAKE, "starts a sequence, ends with it"),
    CommandDef("SEQUENCE_ABORT", SequenceAbort, _AWAKE, "ends a running sequence"),
    CommandDef("SEQUENCE_HOLD", SequenceHold, _AWAKE, "stops a running sequence for a while"),
    CommandDef("SEQUENCE_RESUME", SequenceResume, _AWAKE, "lets a held sequence go on"),
    CommandDef("SEQUENCE_STEP", SequenceStep, _AWAKE, "one step of a held sequence, now"),
    CommandDef("SEQUENCE_DELETE", SequenceDelete, _AWAKE, "takes an uploaded sequence away"),
    CommandDef("DUMP_PARAMETERS", DumpParameters, _AWAKE, "reports every parameter"),
    CommandDef("FILTER_EVENTS", FilterEvents, _AWAKE, "holds back events below a severity"),
    CommandDef("HOLD_EVENT", HoldEvent, _AWAKE, "holds back one event, or tells it again"),
    CommandDef("RECOVERY_SET_ACTIVITY", RecoverySetActivity, _AWAKE,
               "makes a recovery act, shadow or rest", dangerous=True),
    CommandDef("RECOVERY_ARM", RecoveryArm, _AWAKE, "arms a spent recovery again"),
    CommandDef("SET_HEALTH", SetHealth, _AWAKE,
               "takes a component over, declares it permanently faulty, or clears it",
               dangerous=True),
    CommandDef("KEEP_OUT_ADD", KeepOutAdd, _AWAKE, "one more time without light"),
    CommandDef("KEEP_OUT_SET", KeepOutSet, _AWAKE,
               "replaces the times without light before a peer; none clears them", dangerous=True),
)  # fmt: skip
