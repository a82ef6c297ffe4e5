"""Which execution provider really computes a network: asserted, not believed. Pure.

A provider that cannot run a node hands it to the next one without a word, and the session goes on
naming the first: a network that was to run on the GPU then runs on the CPU at a tenth of the speed
and a multiple of the energy. What the runtime says about each node's place is the only proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CPU = "CPUExecutionProvider"
LIGHT_OPS = frozenset(
    {
        "Cast",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Flatten",
        "Gather",
        "Identity",
        "MemcpyFromHost",
        "MemcpyToHost",
        "Range",
        "Reshape",
        "Shape",
        "Slice",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    }
)
"""What a GPU's provider leaves to the CPU on purpose: arithmetic of shapes, and moving octets."""


def placement_fault(wanted: Sequence[str], placed: Iterable[tuple[str, str]]) -> str:
    """Say what is wrong with where the nodes are; "" when nothing is.

    ``wanted`` names the providers in order of preference; ``placed`` gives (provider, operator) of
    each node. Every operator that computes has to be on a wanted provider other than the CPU,
    unless the CPU alone was wanted, and the first one has to compute at all.
    """
    placed = tuple(placed)
    allowed = [name for name in wanted if name != CPU] or [CPU]
    strayed = sorted(
        {
            f"{operator} on {provider}"
            for provider, operator in placed
            if provider not in allowed and operator not in LIGHT_OPS
        }
    )
    if not strayed:
        used = {provider for provider, operator in placed if operator not in LIGHT_OPS}
        idle = used and allowed[0] not in used
        return f"{allowed[0]} wanted, fell back: all on {', '.join(sorted(used))}" if idle else ""
    more = f" and {len(strayed) - 3} more" if len(strayed) > 3 else ""
    return f"{allowed[0]} wanted, fell back: {', '.join(strayed[:3])}{more}"
