"""HTML by construction for the mission report: whatever is not already markup gets escaped.

Product names, event texts and scenario titles come from files. No section of the report joins
strings to HTML itself; everything goes through `el`, so a hostile name stays text.
"""

import html
import json
import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_VOID = frozenset({"br", "hr", "img", "input", "meta"})


class Markup(str):
    """Text that is HTML already; plain `str` is data and is escaped by `el`."""

    __slots__ = ()


Child = str | int | float | None


def text(value: object) -> Markup:
    """Escape data for HTML text and attribute values; control characters become U+FFFD."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value)), quote=True))


def join(*children: Child) -> Markup:
    """Concatenate children, escaping what is not markup and leaving out `None`."""
    return Markup("".join(text(child) for child in children if child is not None))


def el(tag: str, *children: Child, **attributes: object) -> Markup:
    """Make one element. `class_` is `class`, `data_x` is `data-x`, None leaves an attribute out."""
    parts = [f"<{tag}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        name = key.rstrip("_").replace("_", "-")
        parts.append(f" {name}" if value is True else f' {name}="{text(value)}"')
    if tag in _VOID:
        return Markup("".join(parts) + ">")
    return Markup("".join(parts) + ">" + join(*children) + f"</{tag}>")


def json_block(element_id: str, value: object) -> Markup:
    """Embed JSON for the page's script; `<` is coded so that no data can close the element."""
    body = json.dumps(value, allow_nan=False, separators=(",", ":"), sort_keys=True)
    body = body.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(f'<script type="application/json" id="{text(element_id)}">{body}</script>')


def table(
    head: list[tuple[str, str]],
    rows: list[list[Child]],
    *,
    class_: str = "",
    row_attributes: list[dict[str, object]] | None = None,
) -> Markup:
    """Make a table; `head` gives for each column its title and its cell class (`num` or empty)."""
    titles = [el("th", title, class_=kind or None, scope="col") for title, kind in head]
    attributes = row_attributes or [{} for _ in rows]
    body = [
        el(
            "tr",
            *[
                el("td", "—" if cell is None else cell, class_=kind or None)
                for cell, (_, kind) in zip(row, head, strict=True)
            ],
            **extra,
        )
        for row, extra in zip(rows, attributes, strict=True)
    ]
    inner = el("table", el("thead", el("tr", *titles)), el("tbody", *body), class_=class_ or None)
    return el("div", inner, class_="table")


def not_recorded(what: str) -> Markup:
    """Say that something was not recorded in this run: an empty state, never an empty picture."""
    return el("p", f"{what}: not recorded in this run.", class_="empty")
