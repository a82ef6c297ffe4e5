"""The words between the flight process and its inference worker. A leaf, imported by both.

Pixels and screened answers lie in one shared memory file (slot by slot a tile area, then a result
area); pipes carry only these fixed-size signals, each smaller than the system's atomic pipe write.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from flight.inference.job import BAND_BYTES, BANDS, NO_CARE, Care, Plausibility, Screening

RESULT_BYTES_A_PX = 4
"""A picture of three bytes, an eighth for the mask; the rest is for what does not compress."""
RESULT_BYTES_SPARE = 8192
"""Headers, and a filter byte for each row of the picture."""
TEXT_BYTES = 160
_VERDICTS = tuple(Plausibility)
_SCREENING = struct.Struct("<B?HII")
_REQUEST = struct.Struct("<IIIIIdI?B")
_REPLY = struct.Struct(f"<IIIIQ{TEXT_BYTES}sHHH?")
_U16 = 0xFFFF
SLOTS = 2
"""Jobs under way at a time: while products are made of one, the network runs on the next."""
REQUEST_BYTES, REPLY_BYTES = _REQUEST.size, _REPLY.size


def shared_bytes(capacity_px: int, bands: int = len(BANDS)) -> int:
    """Return the size of the memory shared for tiles of up to ``capacity_px``."""
    return SLOTS * slot_bytes(capacity_px, bands)


def slot_bytes(capacity_px: int, bands: int = len(BANDS)) -> int:
    """Return the size of one slot: the tile's octets, then the answer's."""
    return capacity_px * (BAND_BYTES * bands + RESULT_BYTES_A_PX) + RESULT_BYTES_SPARE


def pack_screening(screening: Screening) -> bytes:
    """Return the bytes in the result area."""
    mask, picture = screening.mask_bits, screening.quicklook_png
    head = _SCREENING.pack(
        _VERDICTS.index(screening.verdict),
        picture is not None,
        screening.cloud_permille,
        len(mask),
        len(picture or b""),
    )
    return head + mask + (picture or b"")


def unpack_screening(data: bytes) -> Screening:
    """Return the screening in exactly these bytes; raises ``ValueError``."""
    if len(data) < _SCREENING.size:
        raise ValueError(f"{len(data)} bytes are no screening")
    verdict, drawn, permille, mask_bytes, picture_bytes = _SCREENING.unpack_from(data)
    mask_end = _SCREENING.size + mask_bytes
    if verdict >= len(_VERDICTS) or len(data) != mask_end + picture_bytes:
        raise ValueError(f"screening with verdict {verdict} in {len(data)} bytes")
    picture = data[mask_end:] if drawn else None
    return Screening(_VERDICTS[verdict], permille, data[_SCREENING.size : mask_end], picture)


class Status(IntEnum):
    """What the worker has to say."""

    READY = 0
    DONE = 1
    MODEL_ERROR = 2
    CORRUPT_TILE = 3
    UNTRUSTED = 4


@dataclass(frozen=True, slots=True)
class Request:
    """Run model number ``model`` on the tile in shared memory; ``crc32c`` is that of its bytes.

    ``seq`` is above 0, the number of a worker's first word; ``threshold``,
    ``quicklook_cloud_permille_max`` and ``twice`` are the job's; ``slot`` is where its tile lies.
    """

    seq: int
    model: int
    height: int
    width: int
    crc32c: int
    threshold: float
    quicklook_cloud_permille_max: int
    twice: bool = False
    slot: int = 0

    def pack(self) -> bytes:
        """Return the bytes on the pipe."""
        return _REQUEST.pack(
            self.seq,
            self.model,
            self.height,
            self.width,
            self.crc32c,
            self.threshold,
            self.quicklook_cloud_permille_max,
            self.twice,
            self.slot,
        )

    @staticmethod
    def unpack(data: bytes) -> Request:
        """Return the request of exactly ``REQUEST_BYTES`` bytes."""
        return Request(*_REQUEST.unpack(data))


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to request ``seq``: ``size`` bytes of result with this ``crc32c``, or an error text.

    ``care`` is what it took to trust the answer.
    """

    seq: int
    status: Status
    crc32c: int = 0
    size: int = 0
    duration_ns: int = 0
    text: str = ""
    care: Care = NO_CARE

    def pack(self) -> bytes:
        """Return the bytes on the pipe; a long text is cut."""
        care = self.care
        text = (self.text or care.doubt).encode(errors="replace")[:TEXT_BYTES]
        counts = [min(each, _U16) for each in (care.repaired, care.reruns, care.rebuilds)]
        head = (self.seq, self.status, self.crc32c, self.size, self.duration_ns)
        return _REPLY.pack(*head, text, *counts, care.confirmed)

    @staticmethod
    def unpack(data: bytes) -> Reply:
        """Return the reply of exactly ``REPLY_BYTES`` bytes."""
        seq, status, crc, size, duration_ns, text, *care_of = _REPLY.unpack(data)
        words = text.rstrip(b"\0").decode(errors="replace")
        done = status == Status.DONE
        repaired, reruns, rebuilds, confirmed = care_of
        care = Care(repaired, reruns, rebuilds, confirmed, doubt=words if done else "")
        return Reply(
            seq, Status(status), crc, size, duration_ns, "" if done else words, care
        )  # fmt: skip
