"""What contacts have carried: average, distribution, profile and spread."""

import pytest

from flight.downlink.link_experience import (
    PHASES,
    SHARES_MAX,
    Confidence,
    LineShare,
    LinkExperience,
)


def test_a_prior_stands_in_until_there_is_experience():
    link = LinkExperience(0.64)
    assert link.share(Confidence.MEAN) == link.share(Confidence.P10) == 0.64
    assert all(link.phase_share(phase) == pytest.approx(0.64) for phase in range(PHASES))
    assert link.spread() == pytest.approx(0.3)


def test_the_profile_is_learned_tenth_by_tenth():
    link = LinkExperience(0.64)
    for _ in range(200):
        link.note_phase(0, 0.1)
        link.note_phase(5, 0.9)
    assert link.phase_share(0) == pytest.approx(0.1, abs=0.02)
    assert link.phase_share(5) == pytest.approx(0.9, abs=0.02)
    assert link.phase_share(9) == pytest.approx(0.64)
    for _ in range(200):
        link.note_phase(0, 0.8)
    assert link.phase_share(0) == pytest.approx(0.8, abs=0.05), "old passes are forgotten"


def test_steady_contacts_have_a_small_spread_and_changing_ones_a_large():
    steady, changing = LinkExperience(0.6), LinkExperience(0.6)
    for index in range(SHARES_MAX):
        steady.note(0.6)
        changing.note(0.9 if index % 2 else 0.1)
    assert steady.spread() < 0.1
    assert changing.spread() > 0.5
    assert len(steady.shares) == SHARES_MAX
    assert changing.share(Confidence.P10) == pytest.approx(0.1)


def test_the_share_is_time_in_lock_times_what_arrived():
    share = LineShare()
    for index in range(10):
        share.look(may_send=index < 8)
    assert share.take(75, 25) == pytest.approx(0.8 * 0.75)


def test_an_idle_line_keeps_what_was_known_of_its_losses():
    share = LineShare()
    share.look(may_send=True)
    assert share.take(50, 50) == pytest.approx(0.5)
    share.look(may_send=True)
    assert share.take(50, 50) == pytest.approx(0.5)
    assert share.take(50, 50) == 0.0, "nobody looked"


def test_a_slower_step_of_the_modem_counts_as_its_part_of_the_rate():
    share = LineShare()
    share.look(may_send=True, rate=0.25)
    assert share.take(0, 0) == pytest.approx(0.25)
