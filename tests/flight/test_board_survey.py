"""What is found out about a machine, on fake trees."""

from types import SimpleNamespace

import pytest

from flight import board_survey
from flight.board_survey import SurveyError, board_model, survey
from flight.config import PROFILES, load_profile
from flight.config_text import SEGMENT_BYTES
from flight.data_folder import usage_of
from flight.link_config import StoreConfig
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import SENSOR_ALL, HalError, SensorBit

PI = b"Raspberry Pi 5 Model B Rev 1.0\0"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LUMENODE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path):
    """The root of a machine that has nothing."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def put(root, name, content):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


@pytest.fixture
def linux(monkeypatch):
    """A backend "linux" that gives what the test says; the profiles it was opened with."""
    made = SimpleNamespace(valid=int(SENSOR_ALL), opened=[], later=None)

    class Devices(FakeDevices):
        def snapshot(self):
            FakeBench(self).write_sensors(valid=made.valid)
            made.valid = made.valid if made.later is None else made.later
            return super().snapshot()

    def open_devices(_board, profile, *, looking):
        assert looking
        made.opened.append(profile.name)
        return Devices()

    monkeypatch.setattr(board_survey, "backend_names", lambda: ("sim", "linux"))
    monkeypatch.setattr(board_survey, "open_devices", open_devices)
    monkeypatch.setattr(board_survey, "SETTLE_S", 0.05)
    monkeypatch.setattr(board_survey, "SETTLE_STEP_S", 0.01)
    return made


def test_a_machine_without_names_has_none(root):
    assert board_model(root) == ""


def test_the_device_tree_names_the_board_and_wins_over_dmi(root):
    put(root, "sys/class/dmi/id/product_name", b"Some PC\n")
    assert board_model(root) == "Some PC"
    put(root, "sys/firmware/devicetree/base/model", b"Jetson\0")
    assert board_model(root) == "Jetson"
    put(root, "proc/device-tree/model", PI)
    assert board_model(root) == "Raspberry Pi 5 Model B Rev 1.0"


def test_a_name_that_is_empty_or_no_text_stops_nothing(root):
    put(root, "proc/device-tree/model", b"\0")
    put(root, "sys/class/dmi/id/product_name", b"\xff\xfe box\n")
    assert board_model(root).endswith("box")


def test_without_another_backend_a_machine_flies_simulated_hardware(root, monkeypatch, tmp_path):
    monkeypatch.setattr(board_survey, "backend_names", lambda: ("sim",))
    choice = survey(tmp_path, root=root)
    assert (choice.hal, choice.profile, choice.absent) == ("sim", "orin-nano-modelled", ())


def test_a_board_gets_its_backend_its_profile_and_the_sensors_it_has(root, linux, tmp_path):
    put(root, "proc/device-tree/model", PI)
    linux.valid = int(SensorBit.DIE_TEMP | SensorBit.PAYLOAD)
    choice = survey(tmp_path, root=root)
    assert (choice.hal, choice.profile) == ("linux", "raspberry-pi-5")
    assert linux.opened == ["raspberry-pi-5"]
    assert "battery" in choice.absent
    assert not {"die", "payload"} & set(choice.absent)
    assert "none of it measured here" in choice.profile_why
    assert choice.notes == ()


def test_a_sensor_that_a_sampler_reads_a_moment_later_is_not_absent(root, linux, tmp_path):
    linux.valid, linux.later = 0, int(SensorBit.DIE_TEMP)
    assert "die" not in survey(tmp_path, root=root).absent


def test_a_machine_that_nobody_knows_gets_a_profile_that_claims_nothing(root, linux, tmp_path):
    linux.valid = 0
    choice = survey(tmp_path, root=root)
    assert choice.profile == "generic-pc"
    assert not load_profile(choice.profile).watts_known
    assert "nothing watches the heat" in choice.notes[0]


def test_a_profile_measured_here_wins_and_is_told_as_measured(root, linux, tmp_path):
    put(root, "proc/device-tree/model", PI)
    measured = 'source = "measured"\nmeasured_on = "this very board"'
    text = (PROFILES / "generic-pc.toml").read_text().replace('source = "unknown"', measured)
    (tmp_path / "board-profile.toml").write_text(text)
    choice = survey(tmp_path, root=root)
    assert choice.profile == "board-profile.toml"
    assert choice.profile_why == "measured on this very board"
    (tmp_path / "board-profile.toml").write_text("speed = 1")
    with pytest.raises(SurveyError, match="speed"):
        survey(tmp_path, root=root)


def test_what_the_user_asks_for_is_taken(root, linux, tmp_path):
    choice = survey(tmp_path, hal="link:/dev/ttyUSB0", root=root)
    assert (choice.hal, choice.absent) == ("link:/dev/ttyUSB0", ())
    assert linux.opened == []


def test_hardware_that_does_not_open_is_one_line(root, linux, monkeypatch, tmp_path):
    def closed(_board, _profile, *, looking):
        assert looking
        raise HalError("linux.open", -2)

    monkeypatch.setattr(board_survey, "open_devices", closed)
    with pytest.raises(SurveyError, match=r"hal = 'linux': linux\.open: PERM") as caught:
        survey(tmp_path, root=root)
    assert "\n" not in str(caught.value)


def disk(monkeypatch, free):
    usage = board_survey.shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr(board_survey.shutil, "disk_usage", lambda _path: usage)


@pytest.mark.parametrize("free", [300_000_000, 1_000_000_000, 8_000_000_000, 10**12])
def test_the_data_folder_never_may_take_more_than_half_of_what_is_free(
    root, monkeypatch, tmp_path, free
):
    disk(monkeypatch, free)
    choice = survey(tmp_path / "new", hal="sim", root=root)
    assert choice.folder_bytes <= free // 2
    assert choice.cap_bytes <= 1_000_000_000
    assert choice.folder_bytes == usage_of(tmp_path, _store(choice)).cap_bytes


def _store(choice):
    return StoreConfig(cap_bytes=choice.cap_bytes, segment_bytes=SEGMENT_BYTES)


def test_a_medium_too_small_for_any_data_folder_is_refused_with_both_figures(
    root, monkeypatch, tmp_path
):
    disk(monkeypatch, 50_000_000)
    with pytest.raises(SurveyError, match=r"50 MB free, needed are \d+ MB"):
        survey(tmp_path, hal="sim", root=root)


def test_frames_are_the_imagery_that_is_there_else_a_folder(root, monkeypatch, tmp_path):
    choice = survey(tmp_path, hal="sim", root=root)
    assert (choice.frames, choice.frames_path) == ("folder", "frames")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "s2-scene-1.npz").write_bytes(b"")
    choice = survey(tmp_path, hal="sim", root=root)
    assert (choice.frames, choice.frames_path) == ("replay", "")


def test_a_camera_is_named_by_what_does_not_change_and_left_to_its_user(root, tmp_path):
    assert survey(tmp_path, hal="sim", root=root).notes == ()
    put(root, "dev/video0", b"")
    (note,) = survey(tmp_path, hal="sim", root=root).notes
    assert "/dev/video0" in note
    put(root, "dev/v4l/by-id/usb-cam-video-index0", b"")
    choice = survey(tmp_path, hal="sim", root=root)
    assert "/dev/v4l/by-id/usb-cam-video-index0; docs/camera.md" in choice.notes[0]
    assert choice.frames == "folder"
