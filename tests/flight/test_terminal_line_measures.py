import pytest

from flight.telemetry.channel_values import ChannelValues
from flight.terminal_line_measures import TerminalLineMeasures
from hal.native_devices import NativeDevices
from hal.sample import HalError, HalErrorKind
from hal.terminal_registers import TERM_REG_COUNT
from hal.terminal_values import LinePhase, SerialTerminal, TerminalLineCounters, TerminalLineView

COUNTERS = TerminalLineCounters(*range(1, len(TerminalLineCounters.__struct_fields__) + 1))
VIEW = TerminalLineView(LinePhase.UP, 0, 5, (0,) * TERM_REG_COUNT, 2048, 0, COUNTERS)


def test_the_channels_say_how_far_the_line_is_and_what_it_lost():
    channels = ChannelValues()
    TerminalLineMeasures(lambda: VIEW)(channels.values)
    assert channels.get("terminal.line") == LinePhase.UP
    for name in ("sessions", "line_losses", "rx_corrupt", "rx_lost"):
        assert channels.get(f"terminal.{name}") == getattr(COUNTERS, name)


def test_a_line_that_is_not_there_is_told_as_closed(tmp_path):
    devices = NativeDevices("sim", terminal=SerialTerminal(str(tmp_path / "none")))
    channels = ChannelValues()
    TerminalLineMeasures(devices.terminal_line)(channels.values)
    devices.close()
    assert channels.get("terminal.line") == LinePhase.CLOSED
    assert channels.get("terminal.sessions") == 0


def test_devices_without_a_line_say_so():
    devices = NativeDevices("sim")
    with pytest.raises(HalError) as caught:
        devices.terminal_line()
    devices.close()
    assert caught.value.kind is HalErrorKind.UNSUPPORTED
