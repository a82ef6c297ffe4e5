"""Pictures for the gallery: decode a PNG, shrink it by averaging, encode it again.

The page carries every picture inside itself, so a full-size quick-look would be waste. Only what
our products use is read: 8 bits a sample, or 1, 2 or 4 in grey and palette pictures (masks), with
or without alpha, not interlaced (ISO/IEC 15948:2004). Anything else is `PngError`, and the card
says so.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE_MAX = 4096
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class PngError(ValueError):
    """The bytes are no PNG that the gallery can show."""


def _chunks(data: bytes) -> dict[bytes, bytes]:
    if not data.startswith(SIGNATURE):
        raise PngError("not a PNG")
    found: dict[bytes, bytes] = {}
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        if len(body) != length or at + 12 + length > len(data):
            raise PngError("cut short")
        found[kind] = found.get(kind, b"") + body if kind == b"IDAT" else body
        at += 12 + length
        if kind == b"IEND":
            break
    return found


def _paeth_row(row: Pixels, above: Pixels, step: int) -> None:
    values = row.tolist()
    up = above.tolist()
    for i in range(len(values)):
        a = values[i - step] if i >= step else 0
        c = up[i - step] if i >= step else 0
        b = up[i]
        p = a + b - c
        (pa, pb, pc) = (abs(p - a), abs(p - b), abs(p - c))
        best = a if pa <= pb and pa <= pc else b if pb <= pc else c
        values[i] = (values[i] + best) & 0xFF
    row[:] = values


def _average_row(row: Pixels, above: Pixels, step: int) -> None:
    values = row.tolist()
    up = above.tolist()
    for i in range(len(values)):
        left = values[i - step] if i >= step else 0
        values[i] = (values[i] + (left + up[i]) // 2) & 0xFF
    row[:] = values


def _unfilter(raw: bytes, height: int, stride: int, step: int) -> Pixels:
    """Undo the five filter types, row by row (chapter 9 of the standard)."""
    lines = np.frombuffer(raw, np.uint8).reshape(height, stride + 1)
    out = lines[:, 1:].copy()
    above = np.zeros(stride, np.uint8)
    for row, kind in zip(out, lines[:, 0].tolist(), strict=True):
        if kind == 1:
            for lane in range(step):
                row[lane::step] = np.cumsum(row[lane::step], dtype=np.uint8)
        elif kind == 2:
            np.add(row, above, out=row)
        elif kind == 3:
            _average_row(row, above, step)
        elif kind == 4:
            _paeth_row(row, above, step)
        elif kind != 0:
            raise PngError(f"filter {kind}")
        above = row
    return out


def decode(data: bytes) -> Pixels:
    """Decode to (H, W, 1) grey or (H, W, 3) colour; alpha is dropped.

    Raises:
        PngError: not a PNG of the kinds above, cut short, or larger than 4096 on a side.
    """
    chunks = _chunks(data)
    try:
        (width, height, depth, colour, _, _, interlaced) = struct.unpack(
            ">IIBBBBB", chunks[b"IHDR"]
        )
        packed = chunks[b"IDAT"]
    except (KeyError, struct.error) as error:
        raise PngError("no header or no data") from error
    narrow = depth in {1, 2, 4} and colour in {0, 3}
    if not (depth == 8 or narrow) or interlaced or colour not in _CHANNELS:
        raise PngError(f"kind not supported (depth {depth}, colour {colour})")
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
        raise PngError(f"{width} x {height} pixels")
    step = _CHANNELS[colour]
    stride = (width * step * depth + 7) // 8
    size = height * (stride + 1)
    try:
        raw = zlib.decompressobj().decompress(packed, size)
    except zlib.error as error:
        raise PngError(str(error)) from error
    if len(raw) != size:
        raise PngError("too few pixels")
    lines = _unfilter(raw, height, stride, step)
    if narrow:
        lines = _widen(lines, width, depth)
    pixels = lines.reshape(height, width, step)
    if colour == 3:
        return _coloured(pixels, chunks.get(b"PLTE", b""))
    if narrow:
        pixels = pixels * np.uint8(255 // (2**depth - 1))
    return pixels[:, :, :1] if step < 3 else pixels[:, :, :3]


def _widen(lines: Pixels, width: int, depth: int) -> Pixels:
    """Give each sample of 1, 2 or 4 bits a byte of its own; the leftmost has the high bits."""
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    samples = (lines[:, :, None] >> shifts) & np.uint8(2**depth - 1)
    return np.asarray(samples.reshape(len(lines), -1)[:, :width], dtype=np.uint8)


def _coloured(pixels: Pixels, colours: bytes) -> Pixels:
    if len(colours) % 3 or len(colours) // 3 <= int(pixels.max()):
        raise PngError("palette too short")
    palette = np.frombuffer(colours, np.uint8).reshape(-1, 3)
    return np.asarray(palette[pixels[:, :, 0]], dtype=np.uint8)


def shrink(pixels: Pixels, side_max: int) -> Pixels:
    """Average whole blocks so that no side is longer than `side_max`; small pictures stay."""
    (height, width, lanes) = pixels.shape
    factor = -(-max(height, width) // side_max)
    if factor <= 1:
        return pixels
    (rows, columns) = (max(1, height // factor), max(1, width // factor))
    (tall, wide) = (min(factor, height), min(factor, width))
    cut = pixels[: rows * tall, : columns * wide].astype(np.uint32)
    blocks = cut.reshape(rows, tall, columns, wide, lanes).sum(axis=(1, 3))
    means = (blocks + tall * wide // 2) // (tall * wide)
    return np.asarray(means, dtype=np.uint8)


def encode(pixels: Pixels) -> bytes:
    """Encode grey or colour pixels; each row is filtered by its left neighbour (type 1)."""
    (height, width, lanes) = pixels.shape
    left = np.zeros_like(pixels)
    left[:, 1:] = pixels[:, :-1]
    rows = np.empty((height, width * lanes + 1), np.uint8)
    rows[:, 0] = 1
    rows[:, 1:] = (pixels - left).reshape(height, width * lanes)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if lanes == 3 else 0, 0, 0, 0)
    parts = [SIGNATURE]
    for kind, body in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    ):
        parts += [struct.pack(">I", len(body)), kind, body]
        parts.append(struct.pack(">I", zlib.crc32(kind + body)))
    return b"".join(parts)
