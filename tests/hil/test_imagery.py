import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from flight.inference.job import pixel_digest
from flight.inference.tile_cache import ImageryError, Source
from flight.inference.tile_pixels import pixels_of
from hil import imagery
from hil.synthetic_scene import synthetic_labelled_tiles
from hil.tile_writer import LabelledScene, tile_corners, write_tile_cache

SHAPE = (1, 150, 130, 13)


def small_archive(path, shape=SHAPE):
    """A source archive of the published layout with a small scene; returns its pinned source."""
    rng = np.random.default_rng(1)
    image = rng.random(shape, dtype=np.float32)
    buffer = io.BytesIO()
    np.savez(buffer, s2_im=image, cl_mask=(image[..., 0] > 0.5).astype(np.int8))
    member, packed = buffer.getvalue(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(imagery.SOURCE.member)
        entry.size = len(member)
        tar.addfile(entry, io.BytesIO(member))
    data = gzip.compress(packed.getvalue(), mtime=0)
    path.write_bytes(data)
    digests = (hashlib.sha256(data).hexdigest(), hashlib.sha256(member).hexdigest())
    source = Source("s2cloudless", "1.0.0", digests[0], imagery.SOURCE.member, digests[1])
    return source, image


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A small archive that the code takes for the pinned one, and an empty cache folder."""
    path = tmp_path / "archive.tar.gz"
    source, image = small_archive(path)
    monkeypatch.setattr(imagery, "SOURCE", source)
    monkeypatch.setattr(imagery, "SCENE_SHAPE", SHAPE)
    monkeypatch.setenv("LUMENODE_CACHE", str(tmp_path / "cache"))
    return path, image


def said(capsys, argv):
    code = imagery.main_fetch_data(argv)
    out, err = capsys.readouterr()
    return code, out, err.splitlines()


def test_a_scene_becomes_tiles_that_cover_it_and_carry_its_origin(archive, capsys):
    path, image = archive
    code, out, _ = said(capsys, ["--from-archive", str(path), "--json"])
    answer = json.loads(out)
    assert (code, answer["tiles"], answer["tile_px"]) == (0, 4, 128)
    assert answer["notice"] == "contains modified Copernicus Sentinel data"
    tiles = imagery.load_tiles(Path(answer["path"]))
    masks = imagery.load_references(Path(answer["path"]))
    assert [tile.origin for tile in tiles] == [
        "s2-scene-1:0:0",
        "s2-scene-1:0:2",
        "s2-scene-1:22:0",
        "s2-scene-1:22:2",
    ]
    scaled = np.rint(image[0][..., [1, 2, 3, 7, 11, 12]].astype(np.float64) * 10_000)
    for tile, (row, col) in zip(tiles, [(0, 0), (0, 2), (22, 0), (22, 2)], strict=True):
        assert np.array_equal(pixels_of(tile), scaled[row : row + 128, col : col + 128])
        assert pixel_digest(tile.pixels) == tile.sha256
        cloud = image[0, row : row + 128, col : col + 128, 0] > 0.5
        assert np.array_equal(masks[tile.tile_id], cloud)
        assert not tile.synthetic


def test_the_second_call_needs_no_source_at_all(archive, capsys, monkeypatch):
    path, _ = archive
    assert said(capsys, ["--from-archive", str(path)])[0] == 0

    def no_network(*_args, **_more):
        raise AssertionError("a process was started")

    monkeypatch.setattr(imagery.subprocess, "run", no_network)
    path.unlink()
    code, out, err = said(capsys, [])
    assert (code, err) == (0, [])
    assert "4 tiles" in out


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_cache_is_refused_with_one_line_and_exit_code_2(archive, capsys, suffix, damage):
    path, _ = archive
    said(capsys, ["--from-archive", str(path)])
    cached = imagery.default_tiles_path().with_suffix(suffix)
    good = cached.read_bytes()
    # In the sidecar, a digit of a digest: the JSON stays well formed.
    at = good.index(b'sha256": "') + 12 if suffix == ".json" else len(good) // 2
    flipped = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
    cached.write_bytes({"flip": flipped, "cut": good[: len(good) // 2], "empty": b""}[damage])
    code, out, err = said(capsys, [])
    assert (code, out, len(err)) == (2, "", 1)
    assert str(cached.with_suffix("")) in err[0]
    assert "lumenode fetch-data --force" in err[0]
    assert said(capsys, ["--force", "--from-archive", str(path)])[0] == 0
    assert cached.read_bytes() == good


def test_missing_imagery_says_how_to_get_it(tmp_path):
    with pytest.raises(ImageryError, match="no imagery here; run `lumenode fetch-data`"):
        imagery.load_tiles(tmp_path / "none.npz")


def test_another_archive_is_refused_before_it_is_opened(archive, capsys):
    path, _ = archive
    path.write_bytes(path.read_bytes() + b"x")
    code, _, err = said(capsys, ["--from-archive", str(path)])
    assert code == 2
    assert "SHA-256 expected" in err[-1]
    assert str(path) in err[-1]
    assert not imagery.default_tiles_path().exists()
    code, _, err = said(capsys, ["--from-archive", str(path.with_name("missing"))])
    assert (code, "not readable" in err[-1]) == (2, True)


def test_a_cache_folder_that_cannot_be_written_is_one_line(archive, capsys, monkeypatch):
    path, _ = archive
    blocked = path.with_name("file")
    blocked.write_bytes(b"")
    monkeypatch.setenv("LUMENODE_CACHE", str(blocked))
    code, _, err = said(capsys, ["--from-archive", str(path)])
    assert code == 2
    assert "cannot be written" in err[-1]


class FakePip:
    """Stands for the pip process: fails ``failures`` times, then leaves the archive."""

    def __init__(self, archive, failures):
        self.archive, self.failures, self.calls = archive, failures, []

    def __call__(self, command, **_more):
        self.calls.append(command)
        code = 1 if len(self.calls) <= self.failures else 0
        if code == 0:
            folder = Path(command[command.index("-d") + 1])
            (folder / "s2cloudless-1.0.0.tar.gz").write_bytes(self.archive.read_bytes())
        return imagery.subprocess.CompletedProcess(command, code)


@pytest.mark.parametrize("failures", [0, 1])
def test_pip_is_told_the_digest_and_may_fail_once(archive, capfd, monkeypatch, failures):
    pip = FakePip(archive[0], failures)
    monkeypatch.setattr(imagery.subprocess, "run", pip)
    assert imagery.main_fetch_data([]) == 0
    assert len(pip.calls) == failures + 1
    for command in pip.calls:
        assert {"--no-deps", "--require-hashes"} <= set(command)
        assert not [word for word in command if "://" in word]
    assert capfd.readouterr().err.startswith("lumenode: fetching s2cloudless 1.0.0")


def test_no_network_is_one_line_that_names_the_way_round(archive, capfd, monkeypatch):
    monkeypatch.setattr(imagery.subprocess, "run", FakePip(archive[0], failures=2))
    assert imagery.main_fetch_data([]) == 2
    assert "--from-archive FILE" in capfd.readouterr().err.splitlines()[-1]


def test_the_cache_folder_follows_the_environment():
    def where(**environ):
        return str(imagery.default_cache_dir(environ))

    assert where(LUMENODE_CACHE="/a", XDG_CACHE_HOME="/b") == "/a"
    assert where(XDG_CACHE_HOME="/b") == "/b/lumenode"
    assert where(LUMENODE_CACHE="", XDG_CACHE_HOME="") == str(Path.home() / ".cache/lumenode")


@pytest.mark.parametrize(
    ("length", "corners"),
    [(128, [0]), (256, [0, 128]), (257, [0, 128, 129]), (856, [0, 128, 256, 384, 512, 640, 728])],
)
def test_tiles_cover_every_pixel_and_stay_inside(length, corners):
    assert tile_corners(length, 128) == corners


def test_a_cache_of_synthetic_tiles_says_so(tmp_path):
    tile, cloud = synthetic_labelled_tiles(seed=1, n=1, size=64)[0]
    scene = LabelledScene(
        "synthetic-1",
        (pixels_of(tile) / 1e4).astype(np.float32),
        cloud,
        "synthetic",
        "own",
        True,
        (),
    )
    write_tile_cache(scene, tmp_path / "s.npz", 32)
    tiles = imagery.load_tiles(tmp_path / "s.npz")
    assert all(part.synthetic for part in tiles)
    assert np.array_equal(pixels_of(tiles[3]), pixels_of(tile)[32:, 32:])
    write_tile_cache(scene, tmp_path / "t.npz", 32)
    assert (tmp_path / "t.npz").read_bytes() == (tmp_path / "s.npz").read_bytes()


def test_synthetic_tiles_come_from_the_seed_alone_and_are_labelled():
    first, again = (imagery.synthetic_tiles(seed=7, n=3, size=48) for _ in range(2))
    other = imagery.synthetic_tiles(seed=8, n=3, size=48)
    for a, b, c in zip(first, again, other, strict=True):
        assert a.pixels == b.pixels
        assert a.pixels != c.pixels
        assert a.synthetic
        assert a.origin.startswith("synthetic:7:")
        assert pixels_of(a).shape == (48, 48, 6)


def test_synthetic_tiles_have_both_sky_and_cloud():
    masks = [cloud for _, cloud in synthetic_labelled_tiles(seed=7, n=12, size=64)]
    shares = [float(mask.mean()) for mask in masks]
    assert min(shares) < 0.25 < 0.5 < max(shares)
