"""What a ledger delivered, and the causes of the rest, by hand-made ledgers."""

from __future__ import annotations

import numpy as np
from small_case import SLOT_NS, S, small_case

from hil.score.downlink_figures import NEVER, deliveries, figures


def ledger_of(rows):
    """Frames (slot, [(product, offset, length)])."""
    segments = [segment for _, held in rows for segment in held]
    columns = list(zip(*segments, strict=True)) or [(), (), ()]
    named = {
        "frame_pass": [0] * len(rows),
        "frame_slot": [slot for slot, _ in rows],
        "frame_nseg": [len(held) for _, held in rows],
        "seg_pid": columns[0],
        "seg_off": columns[1],
        "seg_len": columns[2],
    }
    return {name: np.array(values, np.int64) for name, values in named.items()}


def test_a_product_is_delivered_with_its_last_needed_byte():
    case = small_case([(0, 100, 1000, -1)], bad=[2])
    rows = [(1, [(0, 0, 60)]), (2, [(0, 60, 40)]), (5, [(0, 60, 40)]), (9, [(0, 0, 60)])]
    done = deliveries(case, ledger_of(rows)).done_ns
    assert done.tolist() == [S + 6 * SLOT_NS + case.head.down_ns]
    assert figures(case, ledger_of(rows)).repeated_bytes == 60
    found = deliveries(case, ledger_of(rows[:2]))
    assert (found.received.tolist(), found.sent.tolist()) == ([60], [100])


def test_each_way_of_missing_has_its_own_figure():
    due = S + 20 * SLOT_NS
    products = [(0, 100, 1000, -1), (0, 100, 2000, due), (0, 100, 4000, -1), (0, 100, 8000, -1)]
    case = small_case(products)
    rows = [(1, [(0, 0, 100)]), (50, [(1, 0, 100)]), (51, [(2, 0, 50)])]
    flown = figures(case, ledger_of(rows))
    assert flown.value_on_time == 1
    assert (flown.late_value, flown.unfinished_value, flown.unsent_value) == (2, 4, 8)
    assert flown.unfinished_bytes == 50
    assert flown.bytes_useful == 200, "late bytes are bytes"
    assert flown.idle_good_slots == 400 - 3


def test_what_vanished_before_it_was_whole_is_no_use():
    case = small_case([(0, 100, 1000, -1), (S + 2 * SLOT_NS, 100, 1000, -1, 0)])
    flown = figures(case, ledger_of([(9, [(0, 0, 100)])]))
    assert flown.bytes_useful == 0
    assert deliveries(case, ledger_of([])).done_ns.tolist() == [NEVER, NEVER]
