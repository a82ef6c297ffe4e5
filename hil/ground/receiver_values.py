"""Bounds and counters of the ground receiver.

Far end of image -> ground. Apart from the receiver so that reports and summaries can name them.
"""

from __future__ import annotations

import msgspec


class ReceiverConfig(msgspec.Struct, frozen=True):
    """Attributes: bounds of the ground side.

    Attributes:
        partial_bytes_max: memory for unfinished products; the oldest goes when it is full, and the
            node finds that out by reconciliation.
        partials_max: unfinished products at once.
        unconfirmed_max: completions repeated in reports until the node has freed them.
        depth_frames: see `FrameHistory`; twice the node's window.
    """

    partial_bytes_max: int = 1 << 30
    partials_max: int = 65_536
    unconfirmed_max: int = 65_536
    depth_frames: int = 131_072


class ReceiverCounters(msgspec.Struct):
    """What arrived and what was lost on the ground, each loss with a counter of its own."""

    frames: int = 0
    frames_repeated: int = 0
    segments: int = 0
    segment_bytes: int = 0
    duplicate_bytes: int = 0
    segments_of_finished: int = 0
    segments_inconsistent: int = 0
    bad_packets: int = 0
    manifests: int = 0
    manifests_inconsistent: int = 0
    digest_failures: int = 0
    partials_evicted: int = 0
    partials_withdrawn: int = 0
    partials_superseded: int = 0
    products: int = 0
    product_bytes: int = 0
    duplicate_deliveries: int = 0
    identities_reused: int = 0
    archive_errors: int = 0
    unconfirmed_dropped: int = 0
    confirmations: int = 0
    reports: int = 0
    requests: int = 0
