"""What the ARQ sender is told and says: bounds, outcomes, counters.

Image -> ground, hop "told". Apart from the sender so that the service and telemetry can name them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from flight.downlink.product import Segment


class ArqConfig(msgspec.Struct, frozen=True):
    """Attributes: bounds of the sender.

    Attributes:
        window_frames: frames undecided at most. 65,536 are 86 s at 200 Mbit/s in 32 kB frames;
            the window must hold ten round trips, and the silence between reports on top.
        urgent_reserve_frames: kept free for emergencies when the window is full.
        confirm_after_reports: a product whose every byte is reported but which is not reported
            complete after so many further reports is asked about: its digest failed on the ground.
        ask_again_after_reports: a reconcile request without an answer is repeated then.
        abandon_after_reports: a frame no report has settled by then is given up, and what it
            carried is asked about. Only frames sent before the ground began to listen, or the last
            ones before a silence, ever get so old.
        probe_ns: on an idle line an empty frame follows after so long while content is undecided.
        probes_max: so many in a row without a report; a silent uplink is not worth more.
        completing_max: completions and confirmations remembered while they are being worked off.
    """

    window_frames: int = 65_536
    urgent_reserve_frames: int = 256
    confirm_after_reports: int = 64
    ask_again_after_reports: int = 8
    abandon_after_reports: int = 256
    probe_ns: int = 50_000_000
    probes_max: int = 8
    completing_max: int = 4_096


class ArqOutcome(msgspec.Struct, frozen=True):
    """What one report or answer decided.

    Attributes:
        acked: segments the ground holds.
        lost: segments that have to go again; each lost frame appears exactly once.
        completed: products complete and verified on the ground, each reported until `freed`.
        undecided: products with frames in flight that no report will ever speak of.
        resume: products to be continued, with the byte ranges the ground holds.
    """

    acked: tuple[Segment, ...] = ()
    lost: tuple[Segment, ...] = ()
    completed: tuple[int, ...] = ()
    undecided: tuple[int, ...] = ()
    resume: tuple[tuple[int, tuple[tuple[int, int], ...]], ...] = ()


NOTHING = ArqOutcome()


class ArqCounters(msgspec.Struct):
    """Everything that happened to frames and reports; `_frames`/`_reports` since start."""

    sent_frames: int = 0
    acked_frames: int = 0
    lost_frames: int = 0
    abandoned_frames: int = 0
    reports: int = 0
    reports_duplicate: int = 0
    reports_stale: int = 0
    reports_wrong_channel: int = 0
    reports_impossible: int = 0
    answers: int = 0
    answers_stale: int = 0
    window_stalls: int = 0
    window_high: int = 0
    unverified: int = 0
    completions_deferred: int = 0
