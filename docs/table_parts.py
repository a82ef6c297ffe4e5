"""The state machines and fault tables, as tables and diagrams."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

from flight.downlink import terminal_state
from flight.icd_pages import table
from flight.modes import mode_table
from flight.telemetry.definitions import Mode

if TYPE_CHECKING:
    from types import ModuleType

_NS_PER_S = 1e9


def conditions(module: ModuleType, name: str, place: int) -> list[str]:
    """Argument number `place` of every row of the table `name`, as its source says it."""
    tree = ast.parse(inspect.getsource(module))
    for node in tree.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == name:
            assert isinstance(node, ast.AnnAssign)
            assert isinstance(node.value, ast.Tuple)
            calls = [row for row in node.value.elts if isinstance(row, ast.Call)]
            return [_condition(module, call.args[place]) for call in calls]
    raise ValueError(f"{module.__name__} has no table {name}")


def _condition(module: ModuleType, node: ast.expr) -> str:
    if isinstance(node, ast.Lambda):
        said = ast.unparse(node.body)
        for noise in ("i.", "v.", "Mode.", "_F."):
            said = said.replace(noise, "")
        return f"`{said}`"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "_for":
            assert isinstance(node.args[0], ast.Name)
            return f"{getattr(module, node.args[0].id) / _NS_PER_S:g} s in the state"
        if node.func.id == "_has":
            return "flags " + " and ".join(ast.unparse(arg)[3:] for arg in node.args)
    if isinstance(node, ast.Name) and node.id == "_is_other":
        return "a contact other than the one worked on"
    raise ValueError(f"cannot say {ast.unparse(node)}")


def _arrows(rows: list[tuple[str, str, str]], *, style: tuple[str, ...] = ()) -> str:
    """One arrow a pair of states, its causes below each other."""
    joined: dict[tuple[str, str], list[str]] = {}
    for source, target, cause in rows:
        joined.setdefault((source, target), []).append(cause)
    lines = [f"    {s} --> {t}: {'<br>'.join(c)}" for (s, t), c in joined.items()]
    styled = [f"    {line}" for line in style]
    return "\n".join(["```mermaid", "stateDiagram-v2", *styled, *lines, "```"])


_MODE_STYLE = (
    "direction LR",
    "classDef safe fill:#f9d5c4,stroke:#b5532a,color:#000",
    "class SAFE safe",
)


def modes() -> str:
    """Diagram and table of the operating modes."""
    rows = mode_table.TRANSITIONS
    arrows = [(mode.name, row.target.name, row.cause)
              for row in rows for mode in Mode if mode in row.source]  # fmt: skip
    said = conditions(mode_table, "TRANSITIONS", 3)
    dwell = f"{mode_table.DWELL_NS / _NS_PER_S:g} s"
    cells = [
        [
            str(number),
            ", ".join(mode.name for mode in Mode if mode in row.source),
            row.target.name,
            row.cause,
            condition,
            "at once" if row.urgent else f"after {dwell} in the mode",
        ]
        for number, (row, condition) in enumerate(zip(rows, said, strict=True), 1)
    ]
    head = ["#", "from", "to", "cause", "when", "how fast"]
    diagram = _arrows([("[*]", "BOOT", "reset"), *arrows], style=_MODE_STYLE)
    return f"{diagram}\n\n{table(head, cells)}"


def terminal() -> str:
    """Diagram (rows of few states) and table (all) of pointing, acquisition and tracking."""
    rows, states = terminal_state.TABLE, list(terminal_state.PatState)
    arrows = [(state.name, row.to.name, row.cause)
              for row in rows if len(row.states) == 1 for state in row.states]  # fmt: skip
    said = conditions(terminal_state, "TABLE", 2)
    cells = [
        [str(number), _states(row.states, states), row.to.name, row.cause, condition,
         row.effect.value.replace("_", " ")]
        for number, (row, condition) in enumerate(zip(rows, said, strict=True), 1)
    ]  # fmt: skip
    head = ["#", "from", "to", "cause", "when", "effect"]
    return _arrows(arrows) + "\n\n" + table(head, cells)


def _states(
    among: frozenset[terminal_state.PatState], states: list[terminal_state.PatState]
) -> str:
    missing = [state.name for state in states if state not in among]
    if len(missing) < len(among):
        return "all but " + ", ".join(missing)
    return ", ".join(state.name for state in states if state in among)
