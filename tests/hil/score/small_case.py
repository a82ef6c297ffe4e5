"""A case of seconds, made by hand: every slot's fate is written down."""

from __future__ import annotations

import json

import numpy as np

from hil.score.downlink_case import FORMAT, VERSION, Case, CaseHead, digest

SLOT_NS = 1_310_720
S = 1_000_000_000
CONSTANTS = {
    "frame_bytes": 32_768,
    "payload_bytes": 32_704,
    "segment_header_bytes": 16,
    "slot_ns": SLOT_NS,
    "down_ns": 10_000_000,
    "up_ns": 10_000_000,
    "report_period_slots": 20,
    "report_max_bytes": 1_024,
    "boot_ns": 200_000_000,
}


def small_case(products, passes=((S, 400),), bad=(), no_lock=(), no_report=(), reboots=(), **head):
    """A case in memory.

    Args:
        products: (created_ns, size, value, deadline_ns or -1[, supersedes]).
        passes: (start, slots).
        bad, no_lock: flat slots whose frame is lost, in which there is no lock.
        no_report: numbers of the reports that are lost.
        reboots: times.
        head: other constants.
    """
    constants = CONSTANTS | head
    starts = np.cumsum([0, *(slots for _, slots in passes)])
    count = int(starts[-1])
    lock, good = np.ones(count, bool), np.ones(count, bool)
    lock[list(no_lock)] = False
    good[list(bad)] = False
    good &= lock
    emit = [
        t0 + slot * SLOT_NS
        for t0, slots in passes
        for slot in range(0, slots, constants["report_period_slots"])
    ]
    arrive = [
        -1 if number in no_report else each + constants["up_ns"] for number, each in enumerate(emit)
    ]
    rows = [(*row, -1)[:5] for row in products]
    columns = list(zip(*rows, strict=True))
    pack = lambda mask: np.packbits(mask, bitorder="little")
    arrays = {
        "pass_t0_ns": np.array([t0 for t0, _ in passes], np.int64),
        "pass_slots": np.array([slots for _, slots in passes], np.int64),
        "good": pack(good),
        "lock": pack(lock),
        "uplink": pack(lock),
        "rate_slot": np.zeros(1, np.int64),
        "rate_exp": np.zeros(1, np.uint8),
        "created_ns": np.array(columns[0], np.int64),
        "size": np.array(columns[1], np.int64),
        "value": np.array(columns[2], np.int64),
        "deadline_ns": np.array(columns[3], np.int64),
        "cls": np.zeros(len(rows), np.uint8),
        "supersedes": np.array(columns[4], np.int64),
        "rep_emit_ns": np.array(emit, np.int64),
        "rep_arrive_ns": np.array(arrive, np.int64),
        "reboot_ns": np.array(reboots, np.int64),
    }
    return Case(CaseHead(sha256=digest(arrays), **constants), arrays)


def save(case, folder):
    """Writes the case as the format has it."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "case.npz", **case.arrays)
    head = {"format": FORMAT, "version": VERSION, "sha256": case.head.sha256} | CONSTANTS
    (folder / "case.json").write_text(json.dumps(head))
