import pytest

from flight.board_config import FlyConfig, load_fly_config
from flight.config import ConfigError
from hal.camera_values import Plane
from hal.native_camera import NativeCamera, camera_formats

COLOUR = '["blue", "green", "red", "red", "red", "red"]'


def load(folder, keys, bands=COLOUR, head=""):
    path = folder / "node.toml"
    path.write_text(
        f'{head}[frames]\nsource = "camera"\npath = "/dev/video0"\n[frames.camera]\n{keys}\n'
        + (f"bands = {bands}\n" if bands else "")
    )
    return load_fly_config(path)


def refusal(folder, keys, **options):
    with pytest.raises(ConfigError) as caught:
        load(folder, keys, **options)
    line = str(caught.value)
    assert line.startswith(str(folder / "node.toml"))
    assert "\n" not in line
    return line


def test_a_camera_needs_no_more_than_its_device_and_bands(tmp_path):
    config = load(tmp_path, "")
    settings = config.frames.camera.settings(config.frames.path)
    assert settings.path == "/dev/video0"
    assert settings.bands == (Plane.BLUE, Plane.GREEN, Plane.RED, Plane.RED, Plane.RED, Plane.RED)
    assert (settings.format, settings.width_px, settings.height_px) == ("YUYV", 640, 480)
    assert (settings.full_scale, settings.srgb) == (10_000, True)


def test_no_camera_is_needed_for_other_sources():
    assert FlyConfig().frames.camera.bands == ()


def test_infrared_has_no_default_and_the_refusal_explains_why(tmp_path):
    line = refusal(tmp_path, "", bands="")
    for word in ("frames.camera.bands", "B8 (near infrared)", "B12", "sees no infrared", "red"):
        assert word in line
    assert "six of" in refusal(tmp_path, "", bands='["blue", "green", "red"]')


def test_a_band_names_a_plane_that_the_format_has(tmp_path):
    grey = '["grey", "grey", "grey", "grey", "grey", "grey"]'
    line = refusal(tmp_path, 'format = "Y10"')
    assert "Y10 has no plane 'blue'; allowed: grey" in line
    assert "RGB24 has no plane 'grey'" in refusal(tmp_path, 'format = "RGB24"', bands=grey)
    assert load(tmp_path, 'format = "Y10"', bands=grey).frames.camera.format == "Y10"
    assert load(tmp_path, 'format = "YUYV"', bands=grey)
    line = refusal(tmp_path, "", bands='["nir", "red", "red", "red", "red", "red"]')
    assert "frames.camera.bands[0]" in line


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('format = "MJPG"', ("frames.camera.format", "'MJPG'", "YUYV, RGB24")),
        ("tile_px = 100", ("frames.camera.tile_px", "100")),
        ("tile_px = 1024", ("frames.camera.tile_px", "1024")),
        ("tiles_across = 3", ("frames.camera.tiles_across = 3", "640 px", "1 to 2")),
        ("height_px = 128", ("frames.camera.tiles_down = 1", "make tile_px smaller")),
        ('format = "SRGGB8"\ntiles_across = 2', ("tiles_across = 2", "320 px", "1 to 1")),
        ('format = "SRGGB10"\ncurve = "srgb"', ("frames.camera.curve", '"linear"')),
        ('curve = "film"', ("frames.camera.curve", "film")),
        ("black_level = 16", ("black_level = 16", "curve of a screen", "0 to 0")),
        ('format = "SRGGB8"\nblack_level = 255', ("black_level = 255", "0 to 254")),
        ("full_scale = 0", ("frames.camera.full_scale", "0")),
        ("timeout_s = 0", ("frames.camera.timeout_s", "0")),
        ("gain = 3", ("frames.camera", "gain")),
    ],
)
def test_a_mistake_is_one_line_that_names_key_and_range(tmp_path, keys, words):
    line = refusal(tmp_path, keys)
    assert all(word in line for word in words), line


def test_a_picture_has_no_more_tiles_than_may_wait(tmp_path):
    keys = "tile_px = 64\ntiles_across = 5\ntiles_down = 4"
    line = refusal(tmp_path, keys)
    assert "tiles_down = 4" in line
    assert "camera.backlog_frames = 16" in line
    assert load(tmp_path, keys, head="[camera]\nbacklog_frames = 20\n")


def test_a_device_is_needed(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text('[frames]\nsource = "camera"\n')
    with pytest.raises(ConfigError, match=r"frames\.path: needed .* /dev/v4l/by-id"):
        load_fly_config(path)


@pytest.mark.parametrize("name", list(camera_formats()))
def test_what_is_accepted_here_is_accepted_by_the_hardware_layer(tmp_path, name):
    plane = "grey" if Plane.GREY in camera_formats()[name].planes else "red"
    config = load(tmp_path, f'format = "{name}"\ntile_px = 64', bands=[plane] * 6)
    # There is no such device: that is told, and not that the settings are wrong.
    settings = config.frames.camera.settings(str(tmp_path / "video0"))
    camera = NativeCamera(settings)
    camera.close()
    assert camera.offer.failure.name == "NODEV"
