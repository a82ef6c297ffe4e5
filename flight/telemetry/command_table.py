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
ParameterName = Annotated[str, Meta(min_length=1, max_length=48)]


class NoOp(msgspec.Struct, frozen=True, tag="NO_OP"):
    """Proves the whole command path and feeds the command-loss timer."""


class SetMode(msgspec.Struct, frozen=True, tag="SET_MODE"):
    """Asks for a mode; DOWNLINK is entered by a contact, never by command."""

    mode: Literal["SAFE", "IDLE", "COMPUTE"]


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


Command = (
    NoOp
    | SetMode
    | SetParameter
    | EnableInference
    | DisableInference
    | DeleteProduct
    | Reprioritise
)

_ANY = frozenset(Mode)
_AWAKE = _ANY - {Mode.BOOT}

COMMANDS: tuple[CommandDef, ...] = (
    CommandDef("NO_OP", NoOp, _ANY, "does nothing, answers, feeds the command-loss timer"),
    CommandDef("SET_MODE", SetMode, _AWAKE, "asks for SAFE, IDLE or COMPUTE"),
    CommandDef("SET_PARAMETER", SetParameter, _AWAKE, "sets a parameter inside its range"),
    CommandDef("ENABLE_INFERENCE", EnableInference, _AWAKE, "allows inference"),
    CommandDef("DISABLE_INFERENCE", DisableInference, _AWAKE, "forbids inference"),
    CommandDef("DELETE_PRODUCT", DeleteProduct, _AWAKE, "gives up a product"),
    CommandDef("REPRIORITISE", Reprioritise, _AWAKE, "gives a product a new value"),
)
