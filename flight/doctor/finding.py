"""One line of a doctor's answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What a check found."""

    OK = "ok"
    MISSING = "missing"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer.

    Attributes:
        detail: what was found.
        remedy: what to do about it; empty when nothing needs to be done.
        needed: the machine cannot do without what it is asked for.
    """

    name: str
    state: State
    detail: str
    remedy: str = ""
    needed: bool = False


def found(name: str, detail: str, remedy: str = "", *, needed: bool = False) -> Finding:
    """OK without a remedy, missing with one."""
    state = State.MISSING if remedy else State.OK
    return Finding(name, state, detail, remedy, needed)


def told(finding: Finding, width: int) -> str:
    """One line for people."""
    line = f"{finding.state.value:<11}  {finding.name:<{width}}  {finding.detail}"
    return f"{line}; {finding.remedy}" if finding.remedy else line
