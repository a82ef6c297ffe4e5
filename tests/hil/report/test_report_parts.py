"""The pure parts of the report: thinning, pictures, quantities, markup, map, bands, plots."""

import itertools
import json
import math
import re
import struct
import zlib
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_run import png as independent_png

from hil.report import png
from hil.report.convert_coastlines import convert
from hil.report.decimate import extreme_indices, runs
from hil.report.gallery import cards
from hil.report.ground_track import pieces, to_map
from hil.report.markup import el, json_block, text
from hil.report.plot_svg import Curve, nice_ticks, small_plot
from hil.report.quantity import clock_axis, compact, duration, mission_time, number, scaled
from hil.report.run_values import Contact, Product
from hil.report.section_contacts import state_runs
from hil.report.timeline import ticks_s

QUICK = settings(deadline=None, max_examples=60)


@QUICK
@given(
    length=st.integers(1, 6000),
    columns=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
    gaps=st.floats(0.0, 1.0),
    most=st.integers(27, 500),
)
def test_thinning_keeps_bounds_ends_extremes_and_a_gap(length, columns, seed, gaps, most):
    rng = np.random.default_rng(seed)
    data = [rng.normal(size=length) for _ in range(columns)]
    for column in data:
        column[rng.random(length) < gaps * 0.2] = np.nan
    kept = extreme_indices(data, most)
    assert len(kept) <= most
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == length - 1
    for column in data:
        if not np.isnan(column).all():
            assert np.nanmin(column[kept]) == np.nanmin(column)
            assert np.nanmax(column[kept]) == np.nanmax(column)
        assert np.isnan(column[kept]).any() == np.isnan(column).any()


def test_a_step_in_a_day_of_samples_stays_one_sample_wide():
    day = np.zeros(86_401)
    day[40_000:] = 10.0
    noise = np.sin(np.arange(86_401) / 7.0) * 0.1
    kept = extreme_indices([day + noise, noise])
    assert {39_999, 40_000} <= set(kept.tolist())


def test_runs_cover_the_time_and_leave_gaps_out():
    t = np.arange(10.0)
    values = np.array([0, 0, 3, 3, np.nan, np.nan, 4, 4, 4, 0.0])
    assert runs(t, values) == [(0.0, 2.0, 0), (2.0, 4.0, 3), (6.0, 9.0, 4), (9.0, 9.0, 0)]
    flicker = np.arange(100_000) % 2.0
    assert len(runs(np.arange(100_000.0), flicker)) <= 4000


def picture(height, width, lanes, seed):
    return np.random.default_rng(seed).integers(0, 256, (height, width, lanes)).astype(np.uint8)


def filtered_png(pixels, kind):
    """Encode with one filter type, written from the standard's formulas, sample by sample."""
    (height, width, lanes) = pixels.shape
    flat = pixels.reshape(height, width * lanes).astype(int)
    raw = bytearray()
    for y in range(height):
        raw.append(kind)
        for i in range(width * lanes):
            a = flat[y, i - lanes] if i >= lanes else 0
            b = flat[y - 1, i] if y else 0
            c = flat[y - 1, i - lanes] if y and i >= lanes else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            guess = (0, a, b, (a + b) // 2, nearest)[kind]
            raw.append((flat[y, i] - guess) & 0xFF)
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[lanes], 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(raw))), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + name + body
        data += struct.pack(">I", zlib.crc32(name + body))
    return data


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("lanes", [1, 3, 4])
def test_every_filter_of_the_standard_decodes(kind, lanes):
    pixels = picture(9, 7, lanes, kind)
    assert (png.decode(filtered_png(pixels, kind)) == pixels[:, :, :3]).all()


@QUICK
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([1, 3]),
    st.integers(0, 99),
    st.integers(1, 50),
)
def test_pictures_survive_and_shrink_within_bounds(height, width, lanes, seed, side):
    pixels = picture(height, width, lanes, seed)
    assert (png.decode(png.encode(pixels)) == pixels).all()
    small = png.shrink(pixels, side)
    assert max(small.shape[:2]) <= side
    assert int(small.min()) >= int(pixels.min())
    assert int(small.max()) <= int(pixels.max())


def test_palette_pictures_are_read_and_shrinking_averages():
    grey = np.array([[0, 100], [100, 200]], np.uint8)
    assert png.shrink(grey[:, :, None], 1).tolist() == [[[100]]]
    indexed = independent_png(np.array([[0, 1]], np.uint8))
    body = bytes([255, 0, 0, 0, 0, 255])
    plte = struct.pack(">I", 6) + b"PLTE" + body + struct.pack(">I", zlib.crc32(b"PLTE" + body))
    indexed = indexed[:25] + b"\x03" + indexed[26:33] + plte + indexed[33:]
    assert png.decode(indexed).tolist() == [[[255, 0, 0], [0, 0, 255]]]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_masks_of_few_bits_are_read_to_full_contrast(depth):
    samples = np.random.default_rng(depth).integers(0, 2**depth, (5, 11))
    rows = []
    for row in samples.tolist():
        bits = "".join(f"{v:0{depth}b}" for v in row)
        bits += "0" * (-len(bits) % 8)
        rows.append([int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)])
    good = bytearray(independent_png(np.array(rows, np.uint8)))
    good[16:26] = struct.pack(">IIBB", 11, 5, depth, 0)
    wanted = samples * (255 // (2**depth - 1))
    assert png.decode(bytes(good))[:, :, 0].tolist() == wanted.tolist()


@QUICK
@given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 255))
def test_any_bytes_are_a_picture_or_a_png_error(junk, at, value):
    good = bytearray(png.encode(picture(5, 5, 3, 1)))
    good[at % len(good)] = value
    for data in (junk, png.SIGNATURE + junk, bytes(good), bytes(good[: at % len(good)])):
        try:
            assert png.decode(data).dtype == np.uint8
        except png.PngError:
            continue


def test_a_picture_that_unpacks_to_more_than_it_says_is_refused():
    bomb = bytearray(independent_png(np.zeros((3000, 3000), np.uint8)))
    bomb[16:24] = struct.pack(">II", 9000, 9000)
    with pytest.raises(png.PngError, match="9000 x 9000"):
        png.decode(bytes(bomb))


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (number(1234567.891, 1), "1\u202f234\u202f567.9"),
        (number(None), "—"),
        (number(math.nan), "—"),
        (number(True), "—"),
        (number(-0.04, 1), "0.0"),
        (compact(0.5), "0.5"),
        (compact(76.7234, "degC"), "76.72\u00a0°C"),
        (compact(12345.678), "12\u202f346"),
        (compact(0.00001234), "0.000012"),
        (compact(100.0, "s"), "100\u00a0s"),
        (scaled(999, "B"), "999\u00a0B"),
        (scaled(12_730_000, "B"), "12.73\u00a0MB"),
        (duration(59.9), "60\u00a0s"),
        (duration(359), "5\u00a0min 59\u00a0s"),
        (duration(17478), "4\u00a0h 51\u00a0min"),
        (mission_time(86_399.6), "24:00:00"),
        (mission_time(-61), "-0:01:01"),
        (clock_axis(5400.0), "1:30"),
    ],
)
def test_quantities_read_as_an_engineer_writes_them(written, wanted):
    assert written == wanted


@QUICK
@given(st.text())
def test_markup_never_lets_data_be_markup(data):
    made = el("p", data, title=data)
    assert made.count("<") == 2
    assert made.count('"') == 2
    assert "<" not in text(data)
    block = json_block("x", {"k": data})
    assert block.count("<") == 2
    inner = block[block.index(">") + 1 : block.rindex("<")]
    assert json.loads(inner) == {"k": data}


def test_the_track_is_cut_at_the_date_line_and_at_the_terminator():
    track = [(0.0, 0.0, 170.0, 1.0), (10.0, 10.0, 178.0, 1.0), (20.0, 20.0, -174.0, 1.0)]
    track += [(30.0, 30.0, -166.0, 0.0), (40.0, 40.0, -158.0, 0.0)]
    (east, west, dark) = pieces(track)
    assert east[-1][1] == pytest.approx(12.5)
    assert east[-1][2] == pytest.approx(180.0, abs=0.01)
    assert west[0][2] == pytest.approx(-180.0, abs=0.01)
    assert west[-1] == dark[0]
    assert [p[3] for p in dark] == [0.0, 0.0]
    for piece in (east, west, dark):
        xs = [to_map(lat, lon)[0] for _, lat, lon, _ in piece]
        assert max(xs) - min(xs) < 540.0


def test_map_places_are_where_an_atlas_has_them():
    assert to_map(0.0, 0.0) == (540.0, 270.0)
    assert to_map(90.0, -180.0) == (0.0, 0.0)
    assert to_map(-90.0, 179.0) == (1077.0, 540.0)


def test_coastlines_over_the_date_line_and_round_the_pole_close_without_bars():
    (scale, lon0, lat0) = (1.0, -180, -90)

    def arc(points):
        deltas = [(points[0][0] - lon0, points[0][1] - lat0)]
        deltas += [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(points)]
        return deltas

    island = [(170, 60), (175, 70), (-175, 70), (-170, 60), (170, 60)]
    polar = [(-180, -70), (-60, -75), (60, -75), (180, -70)]
    made = convert(
        {
            "transform": {"scale": [scale, scale], "translate": [lon0, lat0]},
            "arcs": [arc(island[:3]), arc(island[2:]), arc(polar)],
            "objects": {"land": {"type": "MultiPolygon", "arcs": [[[0, 1]], [[2]]]}},
        }
    )
    (west, cap, east) = sorted((absolute(r) for r in made["path"].split("z")[:-1]), key=max)
    assert {x for x, _ in west} == {-200, -100, 100, 200}  # the island at the west edge,
    assert {x for x, _ in east} == {7000, 7100, 7300, 7400}  # and once more at the east edge
    assert {(0, 3600), (7200, 3600)} <= set(cap)


def absolute(ring):
    """Read one ring of the path back: absolute points in units of 1/20 degree."""
    points = [(0, 0)]
    for x, y in re.findall(r"[Ml](-?\d+) ?(-?\d+)", ring):
        points.append((points[-1][0] + int(x), points[-1][1] + int(y)))
    return points[1:]


def test_the_shipped_coastlines_stay_on_the_map_and_small():
    raw = resources.files("hil.report").joinpath("assets/coastlines.json").read_text("utf-8")
    asset = json.loads(raw)
    assert len(raw) < 60_000
    assert set(asset["path"]) <= set("MLlz0123456789- ")
    assert asset["units_per_degree"] == 20


def test_time_axes_have_round_ticks():
    assert ticks_s(0.0, 17478.0)[:3] == [0, 1800, 3600]
    assert len(ticks_s(0.0, 86_400.0)) <= 13
    assert ticks_s(100.0, 400.0) == [120, 180, 240, 300, 360]


@QUICK
@given(st.floats(-1e6, 1e6), st.floats(0.0, 1e6))
def test_nice_ticks_cover_the_values_and_are_few(low, span):
    ticks = nice_ticks(low, low + span)
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= low + 1e-6 * abs(low) + 1e-8
    assert ticks[-1] >= low + span - 1e-6 * max(abs(low + span), span) - 1e-8


def test_a_small_plot_breaks_its_line_at_gaps_and_is_absent_without_values():
    def curve(values):
        return Curve(title="x", t_s=[0.0, 1.0, 2.0, 3.0, 4.0], values=values, colour="#000")

    drawn = small_plot(curve([1.0, 2.0, None, 2.0, math.nan]), (0.0, 4.0))
    assert drawn is not None
    path = drawn.split(' d="')[1].split('"')[0]
    assert path.count("M") == 2
    assert small_plot(curve([None] * 5), (0.0, 4.0)) is None
    assert small_plot(curve([]), (0.0, 4.0)) is None


def test_states_of_a_contact_join_into_runs_and_numbers_get_their_names():
    contact = Contact(
        start_s=0.0, end_s=50.0, t_s=[0, 10, 20, 30, 40], pat_state=[2, 2, None, 6, "data"]
    )
    assert state_runs(contact) == [(0.0, 20.0, "SCAN"), (30.0, 50.0, "DATA")]


def test_cards_group_by_tile_best_first_and_leave_out_what_is_not_down():
    made = cards(
        [
            Product(name="a-mask", tile_id=1, value_millis=10, created_s=0.0, delivered_s=50.0),
            Product(name="a-look", tile_id=1, value_millis=5, created_s=5.0, delivered_s=90.0),
            Product(name="b", tile_id=2, value_millis=40, created_s=0.0, delivered_s=70.0),
            Product(name="c", tile_id=3, value_millis=99, created_s=0.0),
            Product(name="d", value_millis=1, created_s=0.0, delivered_s=9.0, captured_s=-3.0),
        ]
    )
    assert [card.first.name for card in made] == ["b", "a-mask", "d"]
    assert [card.latency_s() for card in made] == [70.0, 90.0, 12.0]
