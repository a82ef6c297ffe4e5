"""What the C headers of the hardware layer declare, as tables; their own text is the source.

Reads comments, prototypes, enums and structures; a declaration without its words fails here rather
than leaving a hole in the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from table_parts import table

INCLUDE = Path(__file__).resolve().parent.parent / "native" / "include"
WORST = re.compile(r"Worst case ([^.;]*?\d[^.;]*)")
_CODE = re.compile(r"(?<!\")HAL_E_[A-Z]+")
_TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/)"
    r"|(?P<call>^(?:const )?\w+ \*?(?P<name>hal_\w+)\((?P<arguments>[^)]*)\);)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Call:
    """One function of a header: its own comment, and that of its group where it leans on it."""

    name: str
    own: str
    group: str

    @property
    def worst(self) -> str:
        """The longest that it may take."""
        found = WORST.search(self.own) or WORST.search(self.group)
        assert found is not None, f"{self.name} states no worst case"
        return found[1].removesuffix(" each").strip()

    @property
    def errors(self) -> list[str]:
        """Codes that its words name, in their order; a quoted one is an example."""
        return list(dict.fromkeys(_CODE.findall(f"{self.own} {self.group}")))

    @property
    def does(self) -> str:
        """What it does and returns, without the codes, which have a column of their own."""
        told = re.split(r"(?<=[.;]) (?=HAL_E_|NULL|@return|Worst case|On error)", self.own)[0]
        told = told.rstrip(";.").strip()
        returns = re.search(r"@return ([^.]*)\.", self.own)
        return f"{told}. Returns {returns[1].removeprefix('its ')}." if returns else f"{told}."


def text_of(header: str) -> str:
    """A header's text."""
    return (INCLUDE / header).read_text(encoding="ascii")


def prose(comment: str) -> str:
    """The words of a comment, in one line."""
    lines = (line.strip().removeprefix("*").strip() for line in comment[2:-2].splitlines())
    return " ".join(filter(None, lines))


def calls(header: str) -> list[Call]:
    """Every function, in order. A comment that stands alone holds for what follows it."""
    text = text_of(header)
    text = text[text.index("struct hal {") :] if "struct hal {" in text else text
    found, group, own = [], "", ""
    for token in _TOKEN.finditer(text):
        if token["comment"] is None:
            found.append(Call(token["name"], own, "" if WORST.search(own) else group))
            own = ""
        elif text[token.end() : token.end() + 2] == "\n\n":
            group = prose(token["comment"])
        else:
            own = prose(token["comment"])
    return found


def members(header: str, name: str) -> list[tuple[str, str]]:
    """(declaration, comment) of an enum's or a structure's members, the comment behind or before.

    A comment that begins with "Each" holds up to the next empty line or comment.
    """
    block = re.search(
        rf"^(?:enum|struct) {name} \{{$(.*?)^\}};", text_of(header), re.DOTALL | re.MULTILINE
    )
    assert block is not None, f"{header} has no {name}"
    found: list[tuple[str, str]] = []
    before = ""
    pieces = r"/\*.*?\*/|[^/;,{}]+?\([^;]*;|[^/;,{}]+[;,]?"
    for token in re.finditer(pieces, block[1], re.DOTALL):
        text = token[0].strip()
        if before.startswith("Each") and "\n\n" in token[0]:
            before = ""
        if text.startswith("/*"):
            line_start = block[1].rfind("\n", 0, token.start()) + 1
            behind = bool(block[1][line_start : token.start()].strip())
            if behind and found:
                found[-1] = (found[-1][0], prose(text))
            else:
                before = prose(text)
        elif text:
            found.append((" ".join(text.rstrip(";,").split()), before))
            before = before if before.startswith("Each") else ""
    return found


def _members_of_block(header: str, name: str) -> list[list[str]]:
    return [[f"`{said.split()[-1]}`", words] for said, words in members(header, name)]


def functions() -> str:
    """Every call of hal.h: what it does, what it may answer, how long it may take."""
    found = calls("hal.h")
    rows = [
        [
            f"`{call.name}`",
            call.does,
            ", ".join(f"`{code.removeprefix('HAL_E_')}`" for code in call.errors) or "none",
            call.worst,
        ]
        for call in found
    ]
    groups = dict.fromkeys(filter(None, (call.group for call in found)))
    notes = [re.split(r" (?=HAL_E_)", group)[0] for group in groups]
    return "\n\n".join(
        [table(["call", "does", "errors (`HAL_E_...`)", "worst case"], rows), *notes]
    )


def errors() -> str:
    """The negative codes."""
    rows = []
    for said, words in members("hal.h", "hal_err"):
        name, _, code = said.partition(" = ")
        kind = name.removeprefix("HAL_E_") if code != "0" else "none"
        rows.append([f"`{name}`", code, f"`{kind}`", words or "success"])
    return table(["code", "number", "kind in Python", "means"], rows)


def _bits(name: str) -> list[tuple[str, int, str]]:
    """(name, shift, comment) of an enum of bits."""
    found = []
    for said, words in members("hal.h", name):
        label, _, value = said.partition(" = 1 << ")
        found.append((label, int(value), words))
    return found


def sensor_bits() -> str:
    """What a bit of `valid` vouches for: the fields of the frame stand in the order of the bits."""
    fields = [(said.split()[-1], words) for said, words in members("hal.h", "hal_frame")]
    sensed = [fields[2 + 1]] if fields[3][0] == "utc_ns" else []
    behind = [name for name, _ in fields].index("valid") + 1
    rows = []
    for (label, shift, _), (field, words) in zip(
        _bits("hal_sensor_bit"), sensed + fields[behind:], strict=False
    ):
        assert label.split("_")[2].lower() == field.split("_")[0], f"{label} is not {field}"
        rows.append([str(shift), f"`{label}`", f"`{field}`", words])
    return table(["bit", "name", "field", "holds"], rows)


def throttle_bits() -> str:
    """Why a board slows itself down."""
    rows = [[str(shift), f"`{label}`", words] for label, shift, words in _bits("hal_throttle_bit")]
    return table(["bit", "name", "means"], rows)


def value_states() -> str:
    """What a value of struct hal_board is worth."""
    rows = []
    for said, words in members("hal_board.h", "hal_value_state"):
        name, _, number = said.partition(" = ")
        rows.append([f"`{name}`", number, words or "read from a sensor"])
    return table(["state", "number", "means"], rows)


def counters() -> str:
    """Every way to lose or refuse something."""
    return table(["counter", "counts"], _members_of_block("hal.h", "hal_counters"))


def backends() -> str:
    """Backends of this version, and the header that says how each is set up."""
    rows = []
    for name in re.findall(r"extern const struct hal_api hal_(\w+)_api;", text_of("hal_backend.h")):
        header = f"backend_{name}.h"
        told = prose(text_of(header)[: text_of(header).index("*/") + 2])
        _, _, words = told.partition(" - ")
        rows.append([f"`{name}`", f"`native/include/{header}`", words.partition(". ")[0] + "."])
    return table(["backend", "header", "what the header is for"], rows)


def operations() -> str:
    """What a backend fills in."""
    rows = []
    for said, words in members("hal_backend.h", "hal_api"):
        found = re.search(r"\(\*(\w+)\)", said)
        name = found[1] if found else said.split()[-1].lstrip("*")
        rows.append([f"`{name}`", "yes" if "NULL: not supported" in words else "no", words])
    return table(["operation", "may be NULL", "contract"], rows)
