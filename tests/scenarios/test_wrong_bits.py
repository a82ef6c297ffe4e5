"""A terminal that corrects nothing, over wrong bits: coded frames arrive all the same."""

from short_flight import assert_nothing_lost_or_doubled, fly, scenario

RATE = 2e-4
"""Wrong bits; an uncoded frame of 2,048 octets has three of them on the average."""


def flown(folder, coding, rate=RATE):
    return fly(
        scenario(
            "slow-relay",
            ground={"bit_error_rate": rate},
            node={"link": {"coding": coding, "frame_bytes": 2_048}},
        ),
        folder,
    )


def test_through_wrong_bits_coded_frames_all_arrive_and_uncoded_ones_hardly_any(tmp_path):
    coded, plain = flown(tmp_path / "coded", "rs"), flown(tmp_path / "plain", "none")
    ground, log = coded.world.ground, coded.world.link.logs[0]
    assert_nothing_lost_or_doubled(coded)
    assert ground.receiver.counters.products > 40
    assert ground.coder.counts.symbols_righted > 2 * log.frames_sent
    refused = plain.world.ground.frames_refused["bad_fecf"]
    assert refused > 0.8 * (
        plain.world.link.logs[0].frames_sent - plain.world.link.logs[0].frames_lost
    )
    assert 3 * plain.world.ground.receiver.counters.products < ground.receiver.counters.products


def test_on_a_clean_channel_the_same_arrives_with_coding_and_without(tmp_path):
    coded = flown(tmp_path / "coded", "rs", 0.0)
    plain = flown(tmp_path / "plain", "none", 0.0)
    assert_nothing_lost_or_doubled(coded)
    assert coded.world.ground.coder.counts.symbols_righted == 0
    # Check symbols take room on the line: the product under way at the end may be one behind.
    assert products(plain) - 1 <= products(coded) <= products(plain)
    assert products(coded) > 40


def products(target):
    return target.world.ground.receiver.counters.products
