"""A run as a day: what it says is the bench's, and never less than the bench had."""

import json

import numpy as np
import pytest
from flown_run import fly, mission

from flight.config import ConfigError
from hil.score.bound_boxes import heat_boxes
from hil.score.case_format import check_case
from hil.score.day_truth import day_truth
from hil.score.dve_case import node_model
from hil.score.flown_day import flown_day
from hil.score.heat_truth import HeatTruth
from hil.score.kept_limits import kept_limits
from hil.score.value_bound import value_bound


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flown")
    scenario = fly(mission(), folder)
    with np.load(folder / "telemetry.npz") as kept:
        telemetry = {name: kept[name] for name in kept.files}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return flown_day(folder, scenario), telemetry, summary


def test_the_day_is_a_file_that_any_governor_can_be_scored_on(flown):
    day, _, _ = flown
    check_case(json.loads(json.dumps(day.case)), "flown")


def test_under_the_same_load_the_day_is_never_warmer_than_the_bench_and_close_to_it(flown):
    day, telemetry, _ = flown
    model, truth = node_model(day.case), day_truth(day.case)
    network = HeatTruth(model)
    temp_k = [node["start_k"] for node in day.case["thermal"]["nodes"]]
    course = []
    for k, payload_w in enumerate(telemetry["truth.payload_w"][1:]):
        lit = float(np.nan_to_num(telemetry["link.laser_on"][k + 1]) > 0.0)
        heat_w = [
            w + base + lit * link
            for w, base, link in zip(
                truth.outside_w[k], model.base_heat_w, model.link_heat_w, strict=True
            )
        ]
        heat_w[0] += payload_w
        temp_k = network.after_second(temp_k, heat_w, [1.0] * len(temp_k))
        course.append(temp_k[:4])
    names = ("truth.die_c", "truth.sink_c", "truth.radiator_c", "truth.battery_c")
    bench_k = np.array([telemetry[name][1:] for name in names]).T + 273.15
    apart_k = np.array(course) - bench_k
    assert apart_k.max() < 0.05
    assert apart_k.min() > -3.0


def test_the_day_has_no_less_light_than_the_bench_its_lost_strings_taken_off(flown):
    day, telemetry, _ = flown
    bench_w = telemetry["truth.array_available_w"]
    day_w = day_truth(day.case).array_w[: len(bench_w)]
    assert day_w.sum() >= 0.999 * bench_w.sum()
    assert day_w.sum() <= 1.03 * bench_w.sum()
    inside, outside = day_w[110:290].mean(), day_w[310:].mean()
    assert inside == pytest.approx(0.7 * outside, rel=0.02)


def test_all_pictures_that_the_camera_took_arrive_on_the_day(flown):
    day, _, summary = flown
    arrived = sum(map(sum, day.case["truth"]["arrivals"].values()))
    assert arrived == pytest.approx(summary["frames_seen"], abs=1)
    told = sum(sum(x) * 3600 for x in day.case["forecast"]["arrival_fps_hourly"].values())
    assert told == pytest.approx(arrived * 3600 / 600, rel=1e-6)


def test_the_run_delivered_no_more_than_its_day_s_bound(flown):
    day, _, summary = flown
    assert day.value_flown + day.value_beside >= summary["value_delivered"] > 0.0
    assert day.value_flown <= min(value_bound(day.case), day.value_all) * (1.0 + 1e-9)


def test_what_the_bench_went_through_lies_within_what_the_bound_allows_under_the_node_s_targets(
    flown,
):
    day, telemetry, summary = flown
    kept = kept_limits(mission(), telemetry)
    assert day.value_flown <= value_bound(day.case, kept=kept) * (1.0 + 1e-9)
    model, start_k = node_model(day.case), [n["start_k"] for n in day.case["thermal"]["nodes"]]
    work_k = [kept.work_c.get(node.name, 1e4) + 273.15 for node in model.nodes]
    boxes = heat_boxes(model, day_truth(day.case), start_k, 60, work_k)
    ends = np.array([telemetry[f"truth.{name}_c"] for name in ("die", "sink", "radiator")]).T
    for slot, high in enumerate(boxes.end_high[: int(summary["sim_s"]) // 60]):
        # The day is cooler than the bench by up to so much under the same load.
        assert (ends[(slot + 1) * 60] + 273.15 <= high[:3] + 3.0).all()


def test_a_cloud_takes_its_time_off_the_true_contact_and_not_off_the_planned_one(tmp_path):
    scenario = mission()
    ground = type(scenario.ground)(stations=("calern", "tenerife"), relay=False, rate_bps=1e6)
    from hil.plant.orbit import Orbit  # noqa: PLC0415
    from hil.score.flown_day import contacts  # noqa: PLC0415
    from hil.world import elements  # noqa: PLC0415

    entry = type(scenario.timeline[0])
    cloudy = mission(
        ground=ground, duration_s=17_400.0,
        timeline=(entry(at_s=7880.0, for_s=45.0, action="cloud"),),
    )  # fmt: skip
    found = contacts(cloudy, Orbit(elements(cloudy)))
    (planned, clear) = next(each for each in found if each[0]["start_s"] < 7880 < each[0]["end_s"])
    assert [(w["start_s"], w["end_s"]) for w in clear] == [
        (planned["start_s"], 7880), (7925, planned["end_s"]),
    ]  # fmt: skip
    assert all(len(clear) == 1 for planned, clear in found if planned["start_s"] > 7880)


def test_a_run_without_a_picture_on_the_ground_is_refused_in_one_line(tmp_path):
    (tmp_path / "summary.json").write_text('{"value_created": 0}', encoding="utf-8")
    with pytest.raises(ConfigError, match="delivered no picture"):
        flown_day(tmp_path, mission())
