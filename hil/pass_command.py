"""`lumenode pass`: predict contacts, fly one of them, draw it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from rich.console import Console
from rich.text import Text

from flight.config import ConfigError
from flight.inference.tile_cache import ImageryError
from hil.contact_book import station_of
from hil.ground.stations import STATIONS
from hil.imagery import default_tiles_path, load_tiles
from hil.passes.arguments import DEFAULT_SITE, pass_parser
from hil.passes.drawing import ahead_table, contact_rows, duty_line, outcome_line
from hil.passes.forecast import ContactAhead, best, relay_duty, relays_ahead, stations_ahead
from hil.passes.picture import contact_picture
from hil.passes.single_contact import PassOptions, single_contact
from hil.plant.element_set import ElementSet, lines_of
from hil.plant.orbit import Orbit, OrbitConfig
from hil.report.run_values import Contact
from hil.run_flight import EXIT_FAILED, EXIT_GOOD, EXIT_USAGE, run_target
from hil.run_folder import RunFolder
from hil.run_inputs import INPUT_ERRORS, check_inputs
from hil.scenario import SiteSection
from hil.scenario_check import check_scenario
from hil.sim_target import SimTarget

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import datetime

    from hil.scenario import Scenario

NS_PER_S = 1_000_000_000
OWN_SITE = "own-site"
RELAYS_LISTED = 12
PICTURE = "pass.svg"
PLAIN_WIDTH = 110


def main_pass(argv: Sequence[str]) -> int:
    """Exit code: 0 flown as expected or listed, 1 an expectation failed, 2 usage, 3, 130."""
    arguments = pass_parser().parse_args(argv)
    try:
        if arguments.sites:
            return _print_sites(arguments)
        zero, tle = arguments.date, _element_lines(arguments)
        ahead = _contacts(arguments, zero, tle)
        chosen = _chosen(arguments, ahead)
        console = _console(arguments)
        if not arguments.json:
            console.print(ahead_table(ahead, zero, chosen.number))
            if arguments.relay:
                orbit = Orbit(ElementSet(round(zero.timestamp() * NS_PER_S), *tle))
                console.print(duty_line(relay_duty(orbit)), soft_wrap=True, highlight=False)
        if arguments.list:
            return _print_list(arguments, ahead, zero)
        scenario = single_contact(chosen, zero, tle, _options(arguments))
        check_scenario(scenario, "pass")
        check_inputs(scenario, "pass")
        folder = RunFolder.claim(arguments.out or Path("runs/pass"))
    except INPUT_ERRORS as error:
        sys.stderr.write(f"lumenode pass: {error}\n")
        return EXIT_USAGE
    return _fly(arguments, scenario, folder, console)


def _console(arguments: argparse.Namespace) -> Console:
    """Wide enough for every row where nobody's window sets the width."""
    console = Console(stderr=arguments.json)
    return console if console.is_terminal else Console(stderr=arguments.json, width=PLAIN_WIDTH)


def _fly(
    arguments: argparse.Namespace, scenario: Scenario, folder: RunFolder, console: Console
) -> int:
    target = SimTarget(scenario, folder.path)
    code = run_target(
        "pass",
        target,
        folder,
        console,
        as_json=arguments.json,
        debug=arguments.debug,
        show=_show,
    )
    if code in (EXIT_GOOD, EXIT_FAILED):
        _draw(folder.path)
    return code


def _show(summary: dict[str, Any], path: Path, console: Console) -> None:
    """The contact on the terminal, and where everything is."""
    contact, said = _flown(summary, path)
    console.print(Text(f"{contact['peer']}: {said}", style="bold"))
    for row in contact_rows(contact):
        console.print(row, soft_wrap=True, highlight=False)
    console.print()
    for each in summary["expectations"]:
        mark = "ok  " if each["verdict"] == "pass" else "FAIL"
        console.print(Text(f"{mark} {each['id']}  {each['text']}"))
    console.print(Text(f"picture   {path / PICTURE}"), soft_wrap=True)
    console.print(Text(f"report    {path / 'report.html'}"), soft_wrap=True)


def _flown(summary: dict[str, Any], path: Path) -> tuple[dict[str, Any], str]:
    """The one contact in detail, and what became of it."""
    contact = json.loads((path / "report_data.json").read_text(encoding="utf-8"))["contacts"][0]
    return contact, outcome_line(contact, summary["passes"][0]["acquired_s"])


def _draw(path: Path) -> None:
    summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    contact, said = _flown(summary, path)
    picture = contact_picture(msgspec.convert(contact, Contact), summary["title"], said)
    (path / PICTURE).write_text(picture, encoding="utf-8")


def _element_lines(arguments: argparse.Namespace) -> tuple[str, str]:
    """The user's element set, or one of the sun-synchronous orbit asked for."""
    epoch_ns = round(arguments.date.timestamp() * NS_PER_S)
    if arguments.tle is None:
        config = OrbitConfig(epoch_ns, altitude_km=arguments.altitude, ltan_h=arguments.ltan)
        return lines_of(Orbit(config))
    try:
        lines = arguments.tle.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--tle {arguments.tle}: {error}") from None
    found = [line.rstrip() for line in lines if line.startswith(("1 ", "2 "))][:2]
    if len(found) != 2:
        raise ConfigError(f"--tle {arguments.tle}: holds no line 1 and line 2 of an element set")
    try:
        ElementSet(epoch_ns, *found)
    except ValueError as error:
        raise ConfigError(f"--tle {arguments.tle}: {error}") from None
    return found[0], found[1]


def _contacts(
    arguments: argparse.Namespace, zero: datetime, tle: tuple[str, str]
) -> list[ContactAhead]:
    orbit = Orbit(ElementSet(round(zero.timestamp() * NS_PER_S), *tle))
    until_s = arguments.hours * 3600.0
    if arguments.relay:
        found = relays_ahead(orbit, until_s, RELAYS_LISTED, arguments.sun)
    else:
        keys = (OWN_SITE,) if arguments.at is not None else tuple(arguments.site or [DEFAULT_SITE])
        stations = [station_of(key, _sites(arguments)) for key in dict.fromkeys(keys)]
        found = stations_ahead(orbit, stations, until_s, arguments.mask, arguments.sun)
    if not found:
        raise ConfigError(
            f"no contact within {arguments.hours:g} h: try --hours, --mask or another --site"
        )
    return found


def _chosen(arguments: argparse.Namespace, ahead: Sequence[ContactAhead]) -> ContactAhead:
    if arguments.contact is None:
        return best(ahead)
    if not 1 <= arguments.contact <= len(ahead):
        raise ConfigError(f"--contact {arguments.contact}: allowed is 1 to {len(ahead)}")
    number: int = arguments.contact
    return ahead[number - 1]


def _sites(arguments: argparse.Namespace) -> tuple[SiteSection, ...]:
    if arguments.at is None:
        return ()
    lat_deg, lon_deg, alt_m = arguments.at
    name = f"{lat_deg:g}, {lon_deg:g}"
    return (SiteSection(key=OWN_SITE, name=name, lat_deg=lat_deg, lon_deg=lon_deg, alt_m=alt_m),)


def _options(arguments: argparse.Namespace) -> PassOptions:
    return PassOptions(
        lead_s=arguments.lead,
        seed=arguments.seed,
        mask_deg=arguments.mask,
        margin_db=arguments.margin,
        cloud=arguments.cloud,
        sun_deg=arguments.sun,
        imagery=_imagery(),
        rate_bps=arguments.rate,
        sites=_sites(arguments),
    )


def _imagery() -> Literal["sentinel2", "synthetic"]:
    """The default imagery where it was fetched; a pass can do without."""
    try:
        load_tiles(default_tiles_path())
    except ImageryError:
        return "synthetic"
    return "sentinel2"


def _print_list(
    arguments: argparse.Namespace, ahead: Sequence[ContactAhead], zero: datetime
) -> int:
    if arguments.json:
        rows = [
            {
                **msgspec.to_builtins(each),
                "start_utc_s": zero.timestamp() + each.start_s,
                "end_utc_s": zero.timestamp() + each.end_s,
            }
            for each in ahead
        ]
        sys.stdout.write(json.dumps(rows) + "\n")
    return EXIT_GOOD


def _print_sites(arguments: argparse.Namespace) -> int:
    if arguments.json:
        sys.stdout.write(json.dumps([msgspec.to_builtins(each) for each in STATIONS]) + "\n")
        return EXIT_GOOD
    for each in STATIONS:
        sys.stdout.write(
            f"{each.key:<18} {each.lat_deg:8.3f} {each.lon_deg:9.3f} {each.alt_m:6.0f} m  "
            f"{each.name}\n"
        )
    return EXIT_GOOD
