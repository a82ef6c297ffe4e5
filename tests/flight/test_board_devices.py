import pytest

from flight.board_config import BoardSection
from flight.board_devices import open_devices
from flight.config import ConfigError, load_profile
from hal.sample import HalError, HalErrorKind

PROFILE = load_profile("orin-nano")


def test_the_levels_of_the_profile_are_those_of_the_hardware():
    devices = open_devices(BoardSection(hal="sim"), PROFILE)
    try:
        assert devices.set_payload_level(PROFILE.top) == PROFILE.top
        with pytest.raises(HalError) as caught:
            devices.set_payload_level(PROFILE.top + 1)
        assert caught.value.kind is HalErrorKind.RANGE
    finally:
        devices.close()


def test_a_backend_that_is_not_built_in_is_one_line_with_those_that_are(monkeypatch):
    monkeypatch.setattr("flight.board_devices.backend_names", lambda: ("sim",))
    for name in ("linux", "link:/dev/ttyUSB0"):
        with pytest.raises(ConfigError, match=r"allowed: sim") as caught:
            open_devices(BoardSection(hal=name), PROFILE)
        assert repr(name) in str(caught.value)
