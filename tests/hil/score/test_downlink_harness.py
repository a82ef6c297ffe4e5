"""The stack is flown by what it may know, and the ledger says what happened."""

from __future__ import annotations

import numpy as np
import pytest
from small_case import SLOT_NS, S, small_case

from flight.wire.product_packet import decode_segment, encode_segment
from hil.score.downlink_figures import NEVER, deliveries, figures
from hil.score.downlink_harness import POLICIES, DownlinkHarness, contacts_of, products_of

MB = 1_000_000


def fly(case, policy="planned"):
    return DownlinkHarness(case, policy).fly()


def slots_of(case, ledger):
    return (case.starts[ledger["frame_pass"]] + ledger["frame_slot"]).tolist()


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_everything_arrives_once_over_a_line_that_loses_every_fourth_frame(policy):
    products = [(0, 300_000 + 1000 * index, 1000, -1) for index in range(10)]
    case = small_case(products, bad=range(3, 300, 4))
    ledger = fly(case, policy)
    assert sorted(ledger["ack_pid"].tolist()) == list(range(10))
    flown = figures(case, ledger)
    assert flown.bytes_useful == sum(row[1] for row in products)
    assert flown.repeated_bytes == 0
    assert flown.unfinished_bytes == 0


def test_no_frame_without_lock_none_while_the_node_is_down_none_before_creation():
    reboot_ns = S + 100 * SLOT_NS
    case = small_case(
        [(S + 20 * SLOT_NS, 2 * MB, 1000, -1)], no_lock=range(30, 60), reboots=[reboot_ns]
    )
    ledger = fly(case)
    slots = slots_of(case, ledger)
    assert min(slots) == 20
    assert not set(slots) & set(range(30, 60))
    down = {slot for slot in range(400) if not case.usable[slot]}
    assert not set(slots) & down
    assert ledger["ack_pid"].tolist() == [0]


def test_after_a_reset_only_what_the_ground_lacks_is_sent():
    case = small_case(
        [(0, 4 * MB, 1000, -1)], bad=range(10, 20), reboots=[S + 90 * SLOT_NS], passes=((S, 600),)
    )
    ledger = fly(case)
    assert ledger["ack_pid"].tolist() == [0]
    flown = figures(case, ledger)
    assert flown.repeated_bytes == 0
    assert flown.bytes_useful == 4 * MB


def test_what_the_stack_does_does_not_depend_on_the_fate_of_frames_it_cannot_know():
    """Within a round trip the same slots carry the same bytes, whatever is lost in them."""
    products = [(0, 500_000, 1000 + index, -1) for index in range(6)]
    clear = fly(small_case(products))
    lossy = fly(small_case(products, bad=range(5, 15)))
    known = 5 + (10_000_000 + 10_000_000) // SLOT_NS
    for name in ("frame_slot", "seg_pid", "seg_off", "seg_len"):
        assert np.array_equal(clear[name][:known], lossy[name][:known])


def test_a_report_that_is_lost_costs_time_and_no_bytes():
    products = [(0, 400_000, 1000, -1)] * 8
    case = small_case(products, bad=range(2, 200, 3), no_report=range(1, 16))
    flown = figures(case, fly(case))
    assert flown.repeated_bytes == 0
    assert flown.bytes_useful == 8 * 400_000


def test_acknowledgements_are_never_earlier_than_the_ground_could_send_them():
    case = small_case([(0, 300_000, 1000, -1)] * 10, bad=range(0, 300, 5))
    ledger = fly(case)
    done = deliveries(case, ledger).done_ns
    assert (ledger["ack_ns"] >= done[ledger["ack_pid"]] + case.head.up_ns).all()


def test_a_successor_makes_the_older_one_worthless_and_it_is_dropped():
    products = [(0, 9 * MB, 1000, -1), (S + 100 * SLOT_NS, MB, 1000, -1, 0)]
    case = small_case(products)
    ledger = fly(case)
    assert ledger["dropped_pid"].tolist() == [0]
    assert ledger["dropped_ns"].tolist() == [S + 100 * SLOT_NS]
    assert ledger["ack_pid"].tolist() == [1]
    assert figures(case, ledger).bytes_useful == MB


def test_every_product_is_listed_once():
    products = [(0, 4 * MB, 1000, -1)] * 6 + [(0, MB, 5, S + 1)]
    ledger = fly(small_case(products))
    names = ("ack_pid", "dropped_pid", "pending_pid")
    listed = sorted(each for name in names for each in ledger[name].tolist())
    assert listed == list(range(7))


def test_a_product_of_6_gb_is_one_product_and_its_last_byte_has_an_offset():
    size = 6 * 10**9
    case = small_case([(0, size, 1000, -1), (0, 1000, 7, -1)])
    large = next(each for each in products_of(case) if each.product_id == 0)
    assert (large.size_bytes, large.value_millis) == (size, 1000)
    ledger = fly(case)
    assert ledger["ack_pid"].tolist() == [1]
    assert ledger["pending_pid"].tolist() == [0]
    wire = encode_segment(0, size - 10, size, bytes(10))
    assert (decode_segment(wire).offset, len(wire)) == (size - 10, 26)


def test_the_plan_knows_starts_and_lengths_and_no_more():
    contacts = contacts_of(small_case([(0, 1, 1, -1)], passes=((S, 400), (9 * S, 100))))
    assert [(c.start_ns, c.end_ns) for c in contacts] == [
        (S, S + 400 * SLOT_NS),
        (9 * S, 9 * S + 100 * SLOT_NS),
    ]


def test_an_urgent_product_is_the_next_frame():
    products = [(0, 20 * MB, 10**6, -1), (S + 50 * SLOT_NS, 20_000, 10**6, S + 80 * SLOT_NS)]
    case = small_case(products)
    ledger = fly(case)
    of_alarm = ledger["seg_pid"].tolist().index(1)
    frame = np.repeat(np.arange(len(ledger["frame_nseg"])), ledger["frame_nseg"])[of_alarm]
    assert ledger["frame_slot"][frame] == 50
    assert deliveries(case, ledger).done_ns[0] == NEVER
