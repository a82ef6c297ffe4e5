"""A node on the backend "linux" flies on every board with what is there, and leaves it as found."""

import asyncio
import selectors
from dataclasses import dataclass
from functools import partial

import msgspec
import pytest
from linux_boards import BOARDS, PROFILES, HangingKernel, make_tree

from flight.board_config import BoardSection, load_fly_config
from flight.board_devices import open_devices
from flight.board_linux import _off, journal_path, open_linux, settled
from flight.board_node import BoardNode, settle
from flight.config import ConfigError, load_profile
from flight.io.absent_sensors import absent_in
from flight.telemetry.dictionary import EVENT_BY_ID
from hal.linux_config import LEVELS_MAX, GpioLine, GpioLines, LinuxConfig
from hal.linux_devices import LinuxDevices
from hal.sample import HalError, HalErrorKind

PATIENCE_S = 60


@pytest.fixture
def loop():
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    yield loop
    loop.close()


def absent_of(tree, profile):
    """What `lumenode init` finds: the sensors that the board does not give."""
    devices = open_linux(BoardSection(hal="linux"), profile, tree.config(), looking=True)
    try:
        asyncio.run(settled(devices))
        return absent_in(devices.snapshot().valid)
    finally:
        devices.close()


@dataclass
class Node:
    """A board and the configuration of a node on it."""

    tree: object
    path: object

    def board(self, loop):
        return BoardNode(load_fly_config(self.path), loop)


@pytest.fixture
def make_node(make_board, tmp_path):
    def make(name):
        tree = make_tree(tmp_path / "board", name)
        path = make_board(tmp_path)
        profile = load_profile(PROFILES[name])
        absent = ", ".join(f'"{each}"' for each in absent_of(tree, profile))
        path.write_text(
            path.read_text()
            + f'[board]\nhal = "linux"\n[sensors]\nabsent = [{absent}]\n'
            + f'[inference]\nprofile = "{PROFILES[name]}"\n'
            + tree.toml()
        )
        return Node(tree, path)

    return make


def flown_until(board, loop, wanted, events=None):
    """Flies until an event of one of these names; the names of all events until then."""
    stop = loop.create_future()
    seen = []
    tell = board.journal.__call__

    def listen(event):
        tell(event)
        definition = EVENT_BY_ID[event.event_id]
        seen.append(definition.name)
        if events is not None:
            events.append(event)
        if definition.name in wanted and (
            definition.name != "MODE_CHANGED" or "COMPUTE" in str(event.args)
        ):
            settle(stop, "seen")

    board.node.events._listener = listen
    loop.call_later(PATIENCE_S, settle, stop, "too late")
    assert loop.run_until_complete(board.fly(stop)) == "seen", seen
    return seen


@pytest.mark.slow  # some seconds of real time a board
@pytest.mark.parametrize("name", BOARDS)
def test_a_node_flies_on_every_board_and_leaves_it_as_it_was(make_node, loop, name, capfd):
    node = make_node(name)
    before = {path: path.read_text() for path in node.tree.root.rglob("*") if path.is_file()}
    board = node.board(loop)
    seen = flown_until(board, loop, {"THROTTLE_CLEARED"})
    board.close()
    out = capfd.readouterr().out
    assert "to COMPUTE" in out
    assert not {"HAL_FAILED", "SENSOR_STALE", "SERVICE_FAILED"} & set(seen), out
    after = {path: path.read_text() for path in node.tree.root.rglob("*") if path.is_file()}
    assert after == before
    assert not journal_path(str(node.path.parent / "data")).exists()


@pytest.mark.slow  # some cycles of a second
def test_a_bus_that_hangs_in_flight_costs_its_sensor_and_no_cycle(
    make_node, loop, monkeypatch, capfd
):
    node = make_node("orin-nano-jp6")
    kernel = HangingKernel("hwmon1/in1_input")
    monkeypatch.setattr(
        "flight.board_linux.LinuxDevices", partial(LinuxDevices, system=kernel.table)
    )
    board = node.board(loop)
    assert kernel.hung.wait(20)
    seen = flown_until(board, loop, {"THROTTLE_CLEARED"})
    kernel.let_go()
    board.close()
    out = capfd.readouterr().out
    assert "SENSOR_STALE: power.payload_w" in out
    assert seen.count("SENSOR_STALE") == 1, out
    assert not {"HAL_FAILED", "GUARD_TRIPPED"} & set(seen), out


@pytest.mark.slow  # some cycles of a second
def test_a_sensor_that_is_unplugged_in_flight_is_told_and_found_again(make_node, loop):
    node = make_node("orin-nano-jp6")
    rail = "sys/bus/i2c/devices/1-0040/hwmon/hwmon1/in1_input"
    board = node.board(loop)
    loop.call_later(1.0, node.tree.vanish, rail)
    stop = loop.create_future()
    seen = []

    def listen(event):
        name = EVENT_BY_ID[event.event_id].name
        seen.append(name)
        if name == "SENSOR_STALE":
            node.tree.write(rail, "6000\n")
            look()

    def look():
        if board.node._around.devices.snapshot().payload_mw == 6000:
            settle(stop, "seen")
        else:
            loop.call_later(0.05, look)

    board.node.events._listener = listen
    loop.call_later(PATIENCE_S, settle, stop, "too late")
    assert loop.run_until_complete(board.fly(stop)) == "seen", seen
    assert not {"HAL_FAILED", "GUARD_TRIPPED"} & set(seen)
    board.close()


def test_who_only_looks_disturbs_no_flight_and_sets_nothing(tmp_path):
    tree = make_tree(tmp_path / "board", "pi4")
    profile = load_profile("raspberry-pi-4")
    board = BoardSection(hal="linux", data=str(tmp_path))
    flying = open_devices(board, profile, linux=tree.config())
    assert flying.set_payload_level(1) == 1
    looking = open_devices(board, profile, linux=tree.config(), looking=True)
    refusals = []
    for _ in range(1000):  # the answer to a call is what became of the one before
        try:
            looking.set_payload_level(2)
        except HalError as error:
            refusals.append(error.kind)
            break
        asyncio.run(asyncio.sleep(0.005))
    assert refusals == [HalErrorKind.UNSUPPORTED]
    looking.close()
    assert journal_path(str(tmp_path)).exists()
    assert tree.cap_khz() == 600_000
    flying.close()
    assert tree.cap_khz() == 1_800_000


def test_a_profile_with_more_levels_than_a_board_can_have_is_refused(tmp_path):
    profile = load_profile("raspberry-pi-4")
    many = msgspec.structs.replace(profile, levels=profile.levels[-1:] * (LEVELS_MAX + 1))
    with pytest.raises(ConfigError, match="17 levels; allowed: up to 16"):
        open_devices(BoardSection(hal="linux", data=str(tmp_path)), many)


def test_a_board_whose_payload_has_a_switch_draws_nothing_at_level_0(tmp_path):
    profile = load_profile("raspberry-pi-4")
    with_switch = LinuxConfig(lines=GpioLines(payload=GpioLine(line="GPIO5")))
    assert _off(profile, with_switch).active_mw == 0
    assert _off(profile, LinuxConfig()).active_mw == 2500
    unknown = load_profile("generic-pc")
    assert _off(unknown, LinuxConfig()).active_mw == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[linux]\nperiod_ms = 5", "linux.period_ms = 5"),
        ("[linux]\nstale_ms = 100", "linux.stale_ms = 100: allowed: 400 (two periods) or more"),
        ('[linux.roles]\ndie = "a-name-that-is-much-too-long"', "linux.roles.die"),
        ("[linux.lines.heater]\noffset = 4", "linux.lines.heater: needs"),
        ('[linux]\nwatchdog = "maybe"', "linux.watchdog"),
        ('[[linux.monitors]]\nname = "a"\nbus = 1\naddress = 3', "linux.monitors[0].address = 3"),
        ('[linux]\nno_such_key = "maybe"', "no_such_key"),
    ],
)
def test_a_wrong_key_is_one_line_that_names_it_and_what_is_allowed(tmp_path, text, said):
    path = tmp_path / "lumenode.toml"
    path.write_text(text + "\n")
    with pytest.raises(ConfigError) as caught:
        load_fly_config(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
