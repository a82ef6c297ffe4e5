"""What the ground rebuilt, made legible: from delivered bytes alone, and within bounds."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from flight.inference.mask_product import encode_mask
from flight.inference.png_image import encode
from flight.wire.crc import crc32c
from flight.wire.product_packet import Manifest, ProductClass
from hil.ground.archive import Archive
from hil.imagery import synthetic_tiles
from hil.product_gallery import PICTURED_PER_PLACE, PICTURED_TILES_MAX, annotate

S = 1_000_000_000
SIDE = 8
TILES = synthetic_tiles(5, 4, SIDE)
PNG = b"\x89PNG\r\n\x1a\n"
LOGS = [SimpleNamespace(contact=SimpleNamespace(start_s=100.0, end_s=200.0, peer_name="Nemea"))]


class Ground:
    """An archive filled as the receiver fills it."""

    def __init__(self, folder):
        self.folder = folder
        self.archive = Archive(folder, sync=False)

    def file(self, number, name, payload, klass, value=10, received_s=150.0):
        manifest = Manifest(
            product_id=number, klass=klass, size_bytes=len(payload), crc32c=crc32c(payload),
            value_millis=value, deadline_ns=None, created_ns=50 * S, name=name, depends_on=None,
        )  # fmt: skip
        self.archive.file(manifest, payload, round(received_s * S))

    def mask(self, number, tile, cloudy_rows, **options):
        cloud = np.zeros((SIDE, SIDE), dtype=bool)
        cloud[:cloudy_rows] = True
        payload = encode_mask(tile, cloud, 500, bytes(8))
        self.file(number, f"tile-{tile:08d}-mask.msk", payload, ProductClass.MASK, **options)

    def annotate(self, shown=lambda tile_id: TILES[tile_id % 4]):
        annotate(self.folder, shown, LOGS)

    def entry(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def pictures(self):
        return sorted(path.name for path in self.folder.glob("*.png"))


@pytest.fixture
def ground(tmp_path):
    return Ground(tmp_path)


def test_a_mask_says_where_it_is_from_how_cloudy_and_how_it_came_down(ground):
    ground.mask(1, 2, cloudy_rows=2)
    ground.annotate()
    entry = ground.entry("tile-00000002-mask.msk")
    assert (entry["klass"], entry["tile_id"], entry["origin"]) == ("MASK", 2, TILES[2].origin)
    assert (entry["cloud_fraction"], entry["contact"]) == (0.25, "Nemea")
    assert (entry["created_s"], entry["delivered_s"]) == (50.0, 150.0)


@pytest.mark.parametrize(
    ("t_s", "peer"), [(99.0, None), (100.0, "Nemea"), (200.9, "Nemea"), (202.0, None)]
)
def test_a_product_is_booked_on_the_contact_in_which_it_was_finished(ground, t_s, peer):
    ground.mask(1, 1, 1, received_s=t_s)
    ground.annotate()
    assert ground.entry("tile-00000001-mask.msk")["contact"] == peer


def test_pictures_are_drawn_of_the_delivered_bytes(ground):
    picture = encode(np.zeros((SIDE, SIDE, 3), dtype=np.uint8))
    ground.mask(1, 1, 4)
    ground.file(2, "tile-00000001-quicklook.png", picture, ProductClass.QUICKLOOK)
    ground.annotate()
    assert ground.pictures() == [
        "tile-00000001-mask.msk.mask.png",
        "tile-00000001-mask.msk.tile.png",
        "tile-00000001-quicklook.png",
        "tile-00000001-quicklook.png.png",
    ]
    assert (ground.folder / "tile-00000001-quicklook.png.png").read_bytes() == picture
    drawn = (ground.folder / "tile-00000001-mask.msk.mask.png").read_bytes()
    grey = np.full((SIDE, SIDE, 3), 40, dtype=np.uint8)
    grey[:4] = 235
    assert drawn == encode(grey)


def test_a_frame_the_bench_does_not_know_gets_no_picture_of_its_tile(ground):
    ground.mask(1, 1, 4)
    ground.annotate(shown=lambda _tile_id: None)
    assert ground.pictures() == ["tile-00000001-mask.msk.mask.png"]
    assert ground.entry("tile-00000001-mask.msk")["origin"] is None


def test_a_recording_is_annotated_and_never_drawn(ground):
    ground.file(1, "telemetry-00000010s.tm.z", b"zzz", ProductClass.TELEMETRY)
    ground.annotate()
    assert ground.pictures() == []
    entry = ground.entry("telemetry-00000010s.tm.z")
    assert entry["klass"] == "TELEMETRY"
    assert "tile_id" not in entry


def test_one_place_gets_few_pictures_and_they_are_of_its_best_tiles(ground):
    for number in range(1, 9):
        ground.mask(number, number, 1, value=number)
    ground.annotate(shown=lambda _tile_id: TILES[0])
    drawn = {name[:13] for name in ground.pictures()}
    assert drawn == {f"tile-{n:08d}" for n in range(9 - PICTURED_PER_PLACE, 9)}


def test_pictures_are_bounded_however_many_places_there_are(ground):
    places = {n: SimpleNamespace(origin=f"place {n}") for n in range(1, PICTURED_TILES_MAX + 11)}
    for number in places:
        payload = b"no picture"
        ground.file(number, f"tile-{number:08d}-quicklook.png", payload, ProductClass.QUICKLOOK)
    ground.annotate(shown=places.get)
    assert len(list(ground.folder.glob("*.png.png"))) == PICTURED_TILES_MAX
