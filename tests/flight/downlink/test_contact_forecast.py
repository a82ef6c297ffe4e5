"""What the line will carry, learned from contacts and corrected by the present one."""

import pytest

from flight.downlink.contact_forecast import CONTACTS_AHEAD, ContactForecast
from flight.downlink.pass_plan import NS_PER_S, Contact, ContactKind, PassPlan

S = NS_PER_S


def contact(number, start_s, end_s, authorised=True):
    span = (start_s * S, end_s * S)
    return Contact(number, 1, ContactKind.OGS, *span, 8e6, authorised)


def carried(horizon, from_s=0, until_s=10**9):
    stretches = [s for s in horizon.stretches if from_s * S <= s.start_ns < until_s * S]
    return sum(each.carries_bytes for each in stretches)


def fly(forecast, one, share, until_s=None):
    start_s, end_s = one.start_ns // S, one.end_ns // S
    for second in range(start_s, until_s or end_s):
        forecast.follow(one, second * S, share(second - start_s))


def test_before_there_is_experience_published_missions_stand_in():
    plan = PassPlan([contact(1, 100, 400), contact(2, 1000, 1300)])
    horizon = ContactForecast(plan).horizon(0)
    assert horizon.present == 0
    assert carried(horizon) == pytest.approx(2 * 300 * 0.64 * 1e6)


def test_contacts_make_the_forecast_and_its_profile():
    contacts = [contact(number, 1000 * number, 1000 * number + 300) for number in range(1, 30)]
    forecast = ContactForecast(PassPlan(contacts))
    for one in contacts[:20]:
        fly(forecast, one, lambda since: 0.0 if since < 60 else 0.5)
        forecast.follow(None, one.end_ns, 0.5)
    coming = contacts[20]
    horizon = forecast.horizon(coming.start_ns - S)
    start_s = coming.start_ns // S
    first = carried(horizon, start_s, start_s + 100)
    last = carried(horizon, start_s + 200, start_s + 300)
    assert first + last < 300 * 0.5 * 1e6
    assert first < 0.75 * last, "acquisition is at the start"


def test_a_cloud_now_says_much_about_the_next_minute_and_little_about_the_end():
    one, two = contact(1, 0, 600), contact(2, 5000, 5600)
    plan = PassPlan([one, two])
    cloudy, clear = ContactForecast(plan), ContactForecast(PassPlan([one, two]))
    fly(cloudy, one, lambda _: 0.0, until_s=60)
    fly(clear, one, lambda _: 0.9, until_s=60)
    dark, bright = cloudy.horizon(60 * S), clear.horizon(60 * S)
    assert dark.present == bright.present > 5
    assert carried(dark, 60, 90) < 0.5 * carried(bright, 60, 90)
    assert carried(dark, 400, 600) == pytest.approx(carried(bright, 400, 600))
    assert carried(dark, 5000) == pytest.approx(carried(bright, 5000))


def test_how_long_a_cloud_lasts_does_not_say_how_the_rest_of_the_contact_turns_out():
    one = contact(1, 0, 600)
    forecast = ContactForecast(PassPlan([one]))
    fly(forecast, one, lambda _: 0.0, until_s=60)
    courses = forecast.horizon(60 * S).courses
    assert len(set(courses)) > len(courses) // 2


def test_what_is_near_is_cut_finer():
    one = contact(1, 0, 600)
    forecast = ContactForecast(PassPlan([one]))
    forecast.follow(one, 0, 0.0)
    spans = [s.end_ns - s.start_ns for s in forecast.horizon(0).stretches]
    assert spans[0] == 2 * S
    assert spans[:-1] == sorted(spans[:-1])
    assert max(spans) <= 45 * S
    assert sum(spans) == 600 * S


def test_overlaps_count_once_and_forbidden_contacts_not_at_all():
    contacts = [contact(1, 0, 300), contact(2, 200, 500), contact(3, 600, 900, authorised=False)]
    horizon = ContactForecast(PassPlan(contacts)).horizon(-1)
    assert carried(horizon) == pytest.approx(500 * 0.64 * 1e6)
    ends = [each.end_ns for each in horizon.stretches]
    starts = [each.start_ns for each in horizon.stretches]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


def test_the_view_ahead_is_bounded():
    contacts = [contact(number, 100 * number, 100 * number + 50) for number in range(1, 200)]
    horizon = ContactForecast(PassPlan(contacts)).horizon(0)
    assert len(horizon.stretches) == CONTACTS_AHEAD


def test_a_contact_that_gives_way_to_the_next_is_experience_too():
    one, two = contact(1, 0, 100), contact(2, 100, 200)
    plan = PassPlan([one, two])
    forecast = ContactForecast(plan)
    fly(forecast, one, lambda _: 1.0)
    forecast.follow(two, 100 * S, 1.0)
    (share,) = plan.experience()["OGS"]
    assert share == pytest.approx(0.99, abs=0.02)
