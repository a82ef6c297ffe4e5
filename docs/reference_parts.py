"""Commands, scenarios, keys of a scenario and the names it may use, as tables."""

from __future__ import annotations

import types
from typing import Any, get_args, get_origin

import msgspec
from scenario_keys import ACTIONS, KINDS, MEANINGS, SECTIONS, UNITS
from table_parts import table

from flight.__main__ import COMMANDS
from flight.config_ranges import allowed
from flight.inference.model_registry import ModelRegistry
from flight.telemetry import dictionary
from hil.ground.stations import STATIONS
from hil.plant_bench import SENSOR_BITS, TRUTH
from hil.scenario import DEFAULT, ExpectKind, Scenario, load_scenario, shipped_names
from hil.scenario_check import BENCH_EVENTS, OWN_FIELDS, SUMMARY_KEYS

LIST_SHOWN_MAX = 4
_BIG = 1e6
MANY = {"timeline", "expect", "node.contacts", "node.keep_outs", "ground.sites"}
"""Sections that may stand many times."""


def commands() -> str:
    """The subcommands of `lumenode`."""
    return table(["command", "does"], [[f"`lumenode {n}`", c[2]] for n, c in COMMANDS.items()])


def scenarios() -> str:
    """What is shipped."""
    rows = []
    for name in shipped_names():
        scenario = load_scenario(name)
        shown = f"`{name}`" + (" (default)" if name == DEFAULT else "")
        rows.append([shown, f"{scenario.duration_s / 3600.0:.1f} h", scenario.title])
    return table(["scenario", "mission time", "what it is"], rows)


def accuracy() -> str:
    """Figures of the cloud model, from its manifest, with the manifest's own caveat."""
    manifest = msgspec.to_builtins(ModelRegistry().load("cloud_unet", "fp32").manifest)
    metrics = manifest["metrics"]
    sets = [
        ("Sentinel-2 check scene, against another algorithm's mask", metrics["check_scene"]),
        ("Landsat 5 tile (trained on)", metrics["training_tile_landsat5"]),
        ("Landsat 7 tile (trained on)", metrics["training_tile_landsat7"]),
    ]
    rows = [
        [name, variant, *(f"{found[variant][key]:.3f}" for key in ("iou", "f1", "accuracy"))]
        for name, found in sets
        for variant in ("fp32", "int8")
    ]
    crossed = metrics["cross"]["fp32_iou_over_all"]
    across = (
        f"Trained on one Landsat tile and tested on the other ({len(metrics['cross']['seeds'])} "
        f"seeds, both ways): IoU {crossed['mean']:.3f} on average, {crossed['least']:.3f} at worst."
    )
    head = ["data", "variant", "IoU", "F1", "accuracy"]
    return "\n\n".join([table(head, rows), across, metrics["caveat"]])


def keys() -> str:
    """Every section and key of a scenario."""
    blocks = []
    for section, kind, many in sections():
        title = {"": "Top level"}.get(section, f"`[[{section}]]`" if many else f"`[{section}]`")
        head = ["key", "unit", "default", "allowed", "meaning"]
        rows = [_key_row(section, field) for field in plain_fields(section, kind)]
        blocks += [f"### {title}", SECTIONS[section], table(head, rows)]
    return "\n\n".join(blocks)


def sections() -> list[tuple[str, type[msgspec.Struct], bool]]:
    """(dotted name, its type, whether it may stand many times), in the order of the code."""
    found: list[tuple[str, type[msgspec.Struct], bool]] = []

    def walk(name: str, kind: type[msgspec.Struct], *, many: bool) -> None:
        found.append((name, kind, many))
        for field in msgspec.structs.fields(kind):
            inner = _struct_in(field.type)
            if inner is not None:
                below = f"{name}.{field.encode_name}".removeprefix(".")
                walk(below, inner, many=get_origin(field.type) is tuple)

    walk("", Scenario, many=False)
    return found


def plain_fields(section: str, kind: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    """Keys of a section that are no section themselves; the optional ones of a node are both."""
    return [
        field
        for field in msgspec.structs.fields(kind)
        if _struct_in(field.type) is None or full_name(section, field.encode_name) in MEANINGS
    ]


def full_name(section: str, key: str) -> str:
    """The dotted name of a key."""
    return f"{section}.{key}".removeprefix(".")


def _struct_in(annotation: Any) -> type[msgspec.Struct] | None:
    """The structure behind a type, an optional or a tuple of it; else None."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    if get_origin(annotation) in {tuple, types.UnionType}:
        found = (_struct_in(inner) for inner in get_args(annotation))
        return next((inner for inner in found if inner is not None), None)
    return None


def _key_row(section: str, field: msgspec.structs.FieldInfo) -> list[str]:
    name, key = full_name(section, field.encode_name), field.encode_name
    many = section in MANY
    path: tuple[str | int, ...] = tuple(name.split("."))
    if many:
        path = (*section.split("."), 0, key)
    rule = "" if _struct_in(field.type) else _short(allowed(Scenario, path))
    unit = UNITS.get(key.rpartition("_")[2], "")
    return [f"`{key}`", unit, _default(field), rule, MEANINGS[name]]


def _short(rule: str) -> str:
    """A rule as it fits into a table."""
    if rule.startswith("text like "):
        return f"`{rule.removeprefix('text like ')}`"
    if rule.startswith("one of "):
        return ", ".join(f"`{each}`" for each in rule.removeprefix("one of ").split(", "))
    return (
        rule.replace("a whole number", "integer")
        .replace("a number from ", "")
        .replace("a number above", "above")
    )


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    if field.required:
        return "**required**"
    if value is msgspec.NODEFAULT or value is None or value in ("", ()):
        return "none"
    if isinstance(value, tuple) and len(value) > LIST_SHOWN_MAX:
        return f"{len(value)} points, `{value[0]}` to `{value[-1]}`"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"`{_plain(value)}`"
    return f"`{msgspec.json.encode(value).decode()}`"


def actions() -> str:
    """What a timeline may do, and with which keys."""
    rows = [
        [f"`{name}`", ", ".join(f"`{key}`" for key in own) or "none", ACTIONS[name]]
        for name, own in OWN_FIELDS.items()
    ]
    return table(["action", "its keys", "what happens"], rows)


def sensors() -> str:
    """Names for `sensor`."""
    return ", ".join(f"`{name}`" for name in SENSOR_BITS) + "."


def stations() -> str:
    """Keys for `ground.stations`."""
    rows = [
        [f"`{s.key}`", s.name, f"{s.lat_deg:.2f}", f"{s.lon_deg:.2f}", f"{s.alt_m:.0f}",
         f"{s.clear_fraction:.2f}"]
        for s in STATIONS
    ]  # fmt: skip
    head = ["key", "station", "latitude deg", "longitude deg", "height m", "clear share"]
    return table(head, rows)


def commands_and_parameters() -> str:
    """Telecommands with their arguments, and what SET_PARAMETER may set."""
    told = []
    for command in dictionary.COMMANDS:
        fields = msgspec.structs.fields(command.arguments)
        arguments = [f"`{f.encode_name}`: {_short(allowed(command.arguments, (f.encode_name,)))}"
                     for f in fields]  # fmt: skip
        shown = "; ".join(arguments) or "none"
        steps = "; dangerous: once arms it, once more within 30 s does it"
        does = command.description + steps * command.dangerous
        told.append([f"`{command.name}`", shown, does])
    parameters = [
        [f"`{p.name}`", p.unit, _plain(p.default), f"{_plain(p.low)} to {_plain(p.high)}",
         p.description]
        for p in dictionary.PARAMETERS
    ]  # fmt: skip
    head = ["parameter", "unit", "default", "allowed", "meaning"]
    return table(["command", "arguments", "does"], told) + "\n\n" + table(head, parameters)


def _plain(value: float) -> str:
    return f"{value:_.0f}" if value >= _BIG else f"{value:g}"


def kinds() -> str:
    """Kinds of expectation."""
    return table(["kind", "judges"], [[f"`{k.value}`", KINDS[k.value]] for k in ExpectKind])


def names() -> str:
    """What an expectation may measure."""
    groups: dict[str, list[str]] = {}
    for channel in dictionary.CHANNELS:
        groups.setdefault(channel.group, []).append(channel.name)
    groups["truth (the plant's own state)"] = [channel.name for channel in TRUTH]
    rows = [[group, ", ".join(f"`{n}`" for n in found)] for group, found in groups.items()]
    events = ", ".join(f"`{name}`" for name in (*dictionary.EVENT_BY_NAME, *BENCH_EVENTS))
    summary = ", ".join(f"`{key}`" for key in SUMMARY_KEYS)
    return (
        table(["group", "channels"], rows)
        + f"\n\nEvents: {events}.\n\nKeys of the summary: {summary}."
    )
