"""The same heat with and without the governor: the limit is kept by planning, not by luck."""

import numpy as np
import pytest
from short_flight import events, fly, scenario


@pytest.fixture(scope="module", params=["none", "guard", "planner"])
def flown(request, tmp_path_factory):
    changed = scenario("hot-board", node={"inference": {"governor": request.param}})
    return request.param, fly(changed, tmp_path_factory.mktemp(request.param))


def test_only_the_guard_keeps_the_die_below_its_limit(flown):
    governor, target = flown
    die_c = target.world.recorder.column("truth.die_c")
    above_s = int((die_c > target.world.profile.die_limit_c).sum())
    if governor != "none":
        assert above_s == 0
    else:
        assert above_s > 0


def test_without_a_governor_the_safety_net_takes_the_load_off(flown):
    governor, target = flown
    fired = [e.args["condition"] for e in events(target, "RECOVERY_FIRED")]
    assert any(each.startswith("die") for each in fired) is (governor == "none")


def test_the_guard_gives_up_power_and_not_work_as_a_whole(flown):
    governor, target = flown
    if governor != "guard":
        return
    recorder = target.world.recorder
    times, level = recorder.times(), recorder.column("governor.level")
    hot = (times > 1000.0) & (times < 1800.0)
    assert np.nanmin(level[hot]) < target.world.profile.top
    done = recorder.column("inference.jobs_total")
    assert np.nanmax(done[hot]) > np.nanmin(done[hot]) + 50
    assert level[-1] == target.world.profile.top, "all power is back when the heat has gone"


def test_a_planner_tells_its_level_and_what_is_scarce_and_works_on(flown):
    governor, target = flown
    level = target.world.recorder.column("plan.level")
    if governor != "planner":
        assert not (level >= 0.0).any()
        return
    assert (level >= 0.0).mean() > 0.8
    for name in ("price_energy", "price_heat", "price_time"):
        assert np.nanmin(target.world.recorder.column(f"plan.{name}")) >= -1e-3
    done = target.world.recorder.column("inference.jobs_total")
    assert np.nanmax(done) > 100
