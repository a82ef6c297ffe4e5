"""Clouds and silence on the link: what was not heard is asked for, never guessed."""

import json

import pytest
from short_flight import assert_nothing_lost_or_doubled, events, fly, scenario


def cloud(at_s, for_s):
    return {"at_s": at_s, "for_s": for_s, "action": "cloud"}


def test_a_short_cloud_is_coasted_through_without_a_new_search(tmp_path):
    target = fly(scenario("calern-pass", timeline=[cloud(200.0, 0.4)]), tmp_path)
    assert_nothing_lost_or_doubled(target)
    assert len(events(target, "LINK_ACQUIRED")) == 1
    assert events(target, "LINK_LOST") == []


def test_a_cloud_in_the_pass_costs_time_and_no_product(tmp_path):
    clear = fly(scenario("calern-pass"), tmp_path / "clear")
    target = fly(scenario("calern-pass", timeline=[cloud(200.0, 60.0)]), tmp_path / "cloudy")
    assert_nothing_lost_or_doubled(target)
    lost, acquired = events(target, "LINK_LOST"), events(target, "LINK_ACQUIRED")
    assert lost
    assert 200.0 < lost[0].t_s < 230.0
    assert len(acquired) == 2
    assert acquired[1].t_s > 260.0
    goodput = target.world.link.logs[0]
    dark = [bps for t_s, bps in zip(goodput.t_s, goodput.goodput_bps, strict=True)
            if 210.0 < t_s < 259.0]  # fmt: skip
    assert sum(dark) == 0.0
    # What was made in the last seconds of the contact may wait for the next one in either flight.
    (end,) = events(clear, "CONTACT_ENDED")
    until_ns = int((end.t_s - 10.0) * 1e9)
    delivered = made_before(tmp_path / "clear", until_ns)
    assert len(delivered) > 70
    assert made_before(tmp_path / "cloudy", until_ns) == delivered


def made_before(folder, until_ns):
    """Products on the ground that were made before a time."""
    told = [json.loads(path.read_text()) for path in (folder / "products").glob("*.json")]
    return {each["name"] for each in told if each["created_ns"] < until_ns}


@pytest.mark.parametrize("loss", [0.0, 0.9])
def test_with_nine_of_ten_reports_lost_everything_still_arrives_once(tmp_path, loss):
    target = fly(scenario("slow-relay", ground={"report_loss": loss}), tmp_path)
    assert_nothing_lost_or_doubled(target)
    log = target.world.link.logs[0]
    assert log.uplink_lost / log.uplink_sent == pytest.approx(loss, abs=0.05)
    counters = target.world.ground.receiver.counters
    assert counters.products > 50
    assert counters.duplicate_bytes <= 0.02 * counters.segment_bytes
    delivered = target.world.recorder.column("queue.delivered_total")[-1]
    assert delivered >= counters.products - 12


def test_without_any_report_nothing_is_freed_and_nothing_sent_again_blindly(tmp_path):
    target = fly(scenario("slow-relay", ground={"report_loss": 1.0}), tmp_path)
    recorder, counters = target.world.recorder, target.world.ground.receiver.counters
    assert target.world.link.logs[0].frames_sent > 50
    assert counters.products > 50
    assert recorder.column("queue.delivered_total")[-1] == 0
    assert recorder.column("link.frames_retransmitted")[-1] == 0
    assert counters.duplicate_bytes == 0
    assert recorder.column("store.products")[-1] >= counters.products
    assert_nothing_lost_or_doubled(target)
