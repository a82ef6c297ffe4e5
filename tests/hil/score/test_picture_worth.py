import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.score.picture_worth import KINDS_MAX, worth_of_pictures


def delivered(folder, *products):
    """Products as the ground leaves them: (class, tile, value, bytes)."""
    place = folder / "products"
    place.mkdir(exist_ok=True)
    for number, (klass, tile, value, size) in enumerate(products):
        entry = {"klass": klass, "tile_id": tile, "value_millis": round(1000 * value),
                 "size_bytes": size}  # fmt: skip
        (place / f"{number}.json").write_text(json.dumps(entry), encoding="utf-8")
    return folder


def test_a_picture_is_worth_all_that_came_of_its_tile_wherever_it_was_shown(tmp_path):
    folder = delivered(
        tmp_path, ("MASK", 1, 0.12, 50), ("QUICKLOOK", 1, 0.9, 3000), ("MASK", 2, 0.06, 40),
        ("TELEMETRY", None, 0.5, 900),
    )  # fmt: skip
    worth = worth_of_pictures(folder, [b"land", b"sea", b"land"])
    assert worth.delivered == pytest.approx(1.08)
    assert worth.all_shown == pytest.approx(2 * 1.02 + 0.06)
    best, rest = worth.classes
    assert best.value == pytest.approx((1.02, 0.12))
    assert best.bits == (8.0 * 3050, 8.0 * 50)
    assert (rest.value, rest.bits) == ((0.06, 0.06), (320.0, 320.0))
    assert worth.kinds == [0, 1, 0]


def test_a_tile_of_which_nothing_came_counts_as_the_best(tmp_path):
    folder = delivered(tmp_path, ("MASK", 1, 0.06, 40), ("MASK", 2, 0.12, 50))
    worth = worth_of_pictures(folder, [b"a", b"b", b"unseen"])
    assert worth.all_shown == pytest.approx(0.06 + 0.12 + 0.12)


def test_without_a_picture_there_are_no_kinds(tmp_path):
    assert worth_of_pictures(delivered(tmp_path), [b"a"]).classes == []


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40))
def test_no_picture_counts_for_less_than_it_is_worth_and_few_kinds_do(tmp_path_factory, values):
    shown = [bytes([v]) for v in values]
    folder = delivered(
        tmp_path_factory.mktemp("run"), *[("MASK", i + 1, v / 10, 9) for i, v in enumerate(values)]
    )
    worth = worth_of_pictures(folder, shown)
    assert len(worth.classes) <= KINDS_MAX
    for value, kind in zip(values, worth.kinds, strict=True):
        assert worth.classes[kind].value[0] >= value / 10
    if len(set(values)) <= KINDS_MAX:
        counted = sum(worth.classes[kind].value[0] for kind in worth.kinds)
        assert counted == pytest.approx(worth.all_shown)
