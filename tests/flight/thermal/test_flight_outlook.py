import pytest
from node_of_trials import PERIOD_S, NoSky, Sky, passes

from flight.power.power_budget import SHADOW_ANY_MOMENT
from flight.thermal.flight_outlook import ANY_RATE_BPS, PERIODS, STEP_S, FlightOutlook

FPS = 0.25


def outlook(sky=None):
    return FlightOutlook(sky or Sky(0.35, 0.5), FPS)


def forecast(looking=None, now_s=0.0, utc_s=0.0, contacts=()):
    return (looking or outlook()).forecast(now_s, utc_s, 60.0, contacts)


def ahead(contacts, span_s=10.0 * PERIODS * PERIOD_S):
    return contacts(0.0, span_s)


def test_light_and_frames_are_the_orbit_s_four_times_over():
    found = forecast()
    assert found.end_s == PERIODS * PERIOD_S
    for turn in range(4):
        noon_s, midnight_s = (turn + 0.25) * PERIOD_S, (turn + 0.9) * PERIOD_S
        assert (found.sun.at(noon_s), found.sun.at(midnight_s)) == (1.0, 0.0)
        assert found.arrivals_fps[0].at(noon_s) == FPS
        assert found.arrivals_fps[0].at(midnight_s) == 0.0
    assert found.arrivals_fps[1].at(0.25 * PERIOD_S) == 0.0


def test_mission_time_and_utc_are_kept_apart():
    late = forecast(now_s=100.0, utc_s=0.9 * PERIOD_S)
    assert late.sun.at(101.0) == 0.0
    assert late.sun.at(100.0 + 0.2 * PERIOD_S) == 1.0
    assert late.end_s == 100.0 + PERIODS * PERIOD_S


@pytest.mark.parametrize(("utc_s", "sky"), [(None, Sky()), (0.0, NoSky())])
def test_without_time_or_orbit_the_longest_shadow_begins_now_and_frames_may_come(utc_s, sky):
    found = forecast(outlook(sky), now_s=50.0, utc_s=utc_s)
    assert found.sun.at(51.0) == 0.0
    assert found.sun.at(49.0 + SHADOW_ANY_MOMENT.eclipse_s) == 0.0
    assert found.sun.at(52.0 + SHADOW_ANY_MOMENT.eclipse_s) == 1.0
    assert found.arrivals_fps[0].at(51.0) == FPS


def test_only_what_is_new_of_the_sky_is_computed():
    sky = Sky()
    looking = outlook(sky)
    forecast(looking)
    whole = sky.asked
    forecast(looking, now_s=60.0, utc_s=60.0)
    assert sky.asked - whole == pytest.approx(60.0 / STEP_S, abs=1)
    forecast(looking, now_s=120.0, utc_s=-1e6)  # the clock was set: all is asked again
    assert sky.asked > 2 * whole


def test_contacts_come_with_what_experience_says_they_carry():
    found = forecast(contacts=ahead(passes(1000.0, lasts_s=300.0, bps=1e6, share=0.4)))
    first = found.windows[0]
    assert (first.start_s, first.end_s, first.rate_bps) == (1000.0, 1300.0, 1e6)
    assert first.clear_probability == 0.4


def test_what_contacts_beyond_the_horizon_carry_is_there_at_its_end():
    end_s = PERIODS * PERIOD_S
    found = forecast(contacts=ahead(passes(end_s + 500.0, lasts_s=300.0, bps=1e6, share=0.4)))
    last = found.windows[-1]
    bits = (last.end_s - last.start_s) * last.rate_bps * last.clear_probability
    assert last.end_s == end_s
    assert bits == pytest.approx(300.0 * 1e6 * 0.4)


def test_with_no_contact_known_beyond_what_is_left_is_not_held_for_worthless():
    last = forecast(contacts=ahead(passes(1000.0))).windows[-1]
    assert last.rate_bps == ANY_RATE_BPS
    far = forecast(contacts=ahead(passes(1000.0, 2.5 * PERIODS * PERIOD_S)))
    assert [w.start_s for w in far.windows] == [1000.0]  # known, and none within reach
