"""Configuration of link and store: `[link]`, `[store]`, contact plan and keep-outs."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FRAME_BYTES_UNCODED_LEAST = 2_048
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
CODED_FRAME_BYTES = 1_784
"""Eight codewords of 223 octets (CCSDS 131.0-B-4, 4.3.5), see `flight.wire.channel_coding`."""


class ContactConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One contact of the uploaded plan; times in Unix seconds."""

    contact_id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    peer_id: Annotated[int, Meta(ge=1, le=65535)]
    peer_name: str
    kind: Annotated[str, Meta(pattern="^(OGS|RELAY|RADIO)$")]
    start_utc_s: float
    end_utc_s: float
    rate_bps: Annotated[float, Meta(gt=0.0, le=1e12)]
    authorised: bool = True


class KeepOutConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A time of the uploaded plan in which the terminal is dark and looks away; Unix seconds.

    Attributes:
        peer_id: before which peer, 0 for every one.
        cause: the Sun beside the line of sight, or something else that light must not meet.
    """

    peer_id: Annotated[int, Meta(ge=0, le=65535)] = 0
    start_utc_s: float
    end_utc_s: float
    cause: Annotated[str, Meta(pattern="^(sun|avoidance)$")] = "avoidance"


class LinksConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Links beside the laser terminal: the section `[links]`.

    Attributes:
        radio: there is a slow radio modem for what cannot wait for light.
        radio_carries: what it is worth: "urgent" products while there is no light, or "all" of the
            queue beside the light.
        radio_reports: what its uplink is trusted with: reports about "all" frames, or about its
            "own" alone.
        radio_frame_bytes: of a frame on its line, at most.
        radio_window_frames: sent by it and not decided, see `ArqConfig`.
    """

    radio: bool = False
    radio_carries: Literal["urgent", "all"] = "urgent"
    radio_reports: Literal["own", "all"] = "all"
    radio_frame_bytes: Annotated[int, Meta(ge=2048, le=16384)] = 2048
    radio_window_frames: Annotated[int, Meta(ge=16, le=65_536)] = 1024


class LinkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Frames and queue.

    Attributes:
        spacecraft_id: of the node, 16 bits.
        frame_bytes: of a frame on the line, at most.
        coding: "none" for a terminal that corrects errors itself; "rs" puts sync marker, randomiser
            and Reed-Solomon (255,223) around each frame, of which it leaves 1,784 octets.
        repair: repair frames for each product frame while the uplink is silent, 0 for none. They
            make good what is lost in passes without an uplink; while reports come there are none.
        repair_after_s: of line time without a report; then the uplink counts as silent.
        window_frames: sent and not decided, see `ArqConfig`.
        queue_bytes, queue_products: bounds of the downlink queue.
        half_life_s: a result of this age is worth half of what it was when it was made; 0: results
            keep their value. What is newer goes first then, among results of like density.
    """

    spacecraft_id: Annotated[int, Meta(ge=0, le=65535)] = 0x4C4E
    frame_bytes: Annotated[int, Meta(ge=2048, le=65536)] = 8192
    coding: Literal["none", "rs"] = "none"
    repair: Annotated[float, Meta(ge=0.0, le=0.4)] = 0.0
    repair_after_s: Annotated[float, Meta(ge=0.1, le=600.0)] = 10.0
    window_frames: Annotated[int, Meta(ge=16, le=1_000_000)] = 8192
    queue_bytes: Annotated[int, Meta(ge=1_000_000, le=10**12)] = 256_000_000
    queue_products: Annotated[int, Meta(ge=16, le=10_000_000)] = 1_000_000
    half_life_s: Annotated[float, Meta(ge=0.0, le=1e8)] = 0.0

    @property
    def half_life_ns(self) -> int | None:
        """The same in nanoseconds, None for none; at least one."""
        return max(round(self.half_life_s * 1e9), 1) if self.half_life_s else None

    @property
    def sealed_bytes(self) -> int:
        """Of a sealed frame, at most, before it is coded."""
        return CODED_FRAME_BYTES if self.coding == "rs" else self.frame_bytes

    def contradiction(self) -> str | None:
        """What a range cannot say, or None: `key = value: what is allowed`."""
        if self.coding == "rs" and self.frame_bytes != FRAME_BYTES_UNCODED_LEAST:
            return (
                f'link.frame_bytes = {self.frame_bytes}: with coding = "rs" allowed: '
                f"{FRAME_BYTES_UNCODED_LEAST}"
            )
        return None


class StoreConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The durable store.

    Attributes:
        cap_bytes: of products; the files on the medium may take four times as much, because a
            segment goes only when everything in it is dead.
        segment_bytes: of one file; on a board a reserve of the same size is held.
        quota_imaging, quota_telemetry, quota_commanding: share of the downlink queue's bytes that
            products of results, of recorded telemetry and of what was asked for may take. Who is at
            its quota gives up the least dense of its own. Emergencies are always taken.
    """

    cap_bytes: Annotated[int, Meta(ge=1_000_000, le=10**13)] = 1_000_000_000
    segment_bytes: Annotated[int, Meta(ge=65_536, le=10**9)] = 8 * 1024 * 1024
    commit_period_s: Annotated[float, Meta(ge=1.0, le=600.0)] = 5.0
    """New products are made durable together this often: one sync of the device for all."""
    quota_imaging: Fraction = 1.0
    quota_telemetry: Fraction = 1.0
    quota_commanding: Fraction = 1.0
