"""A kernel with one Video4Linux camera, in Python, behind the C layer's table of system calls.

Written from the layouts of <linux/videodev2.h> on 64-bit machines, byte by byte, so that it knows
nothing of what the C side believes. Calls come from the reader's own thread.
"""

import errno
import struct
import time
from collections import deque

from hal.native_camera import camera_formats
from hal.native_library import ffi

FD = 7
BUFFERS_MAX = 4
VIDEO_CAPTURE, STREAMING, DEVICE_CAPS = 0x1, 0x04000000, 0x80000000
FIELD_NONE = 1
TIMESTAMP_MONOTONIC = 0x2000
POLLIN, POLLERR, POLLHUP = 1, 8, 16
QUERYCAP, S_FMT, REQBUFS, QUERYBUF, QBUF, DQBUF, STREAMON, STREAMOFF = 0, 5, 8, 9, 15, 17, 18, 19


class CameraKernel:
    """`table` is what `NativeCamera` takes as its system.

    `paint` makes the picture of a sequence number. `plugged`, `silent` and `forbidden` may be
    changed at any time.
    """

    def __init__(
        self, format_="GREY", width_px=64, height_px=48, pixel_bytes=1, card="Test camera"
    ):
        known = camera_formats().get(format_)
        self.fourcc = known.fourcc if known else int.from_bytes(format_.encode(), "little")
        self.width_px, self.height_px, self.card = width_px, height_px, card
        self.line_bytes = width_px * pixel_bytes
        self.paint = lambda sequence: bytes([sequence & 0xFF]) * self.picture_bytes
        self.plugged, self.silent, self.forbidden = True, False, False
        self.is_camera = True
        self.opens = 0
        self.open = False
        self.mapped = 0
        self._sequence = 0
        self._queued, self._filled = deque(), deque()
        self._memory = [ffi.new("uint8_t[]", self.picture_bytes) for _ in range(BUFFERS_MAX)]
        self._callbacks = {
            "open": ffi.callback("int64_t(void *, const char *, int, uint32_t)", self._open),
            "close": ffi.callback("int64_t(void *, int)", self._close),
            "ioctl": ffi.callback("int64_t(void *, int, unsigned long, void *)", self._ioctl),
            "poll": ffi.callback("int64_t(void *, struct pollfd *, uint32_t, int)", self._poll),
            "mmap": ffi.callback("int64_t(void *, int, size_t, int64_t, void **)", self._mmap),
            "munmap": ffi.callback("int64_t(void *, void *, size_t)", self._munmap),
            "now_ns": ffi.callback("uint64_t(void *)", lambda _: time.monotonic_ns()),
        }
        self.table = ffi.new("struct linux_syscalls *", self._callbacks)

    @property
    def picture_bytes(self):
        return self.line_bytes * self.height_px

    def _open(self, _context, path, _flags, _mode):
        if self.forbidden:
            return -errno.EACCES
        if not self.plugged or ffi.string(path) != b"/dev/video0":
            return -errno.ENOENT
        self.opens += 1
        self.open = True
        return FD

    def _close(self, _context, _fd):
        self.open = False
        self._queued.clear()
        self._filled.clear()
        return 0

    def _ioctl(self, _context, _fd, request, argument):
        number = request & 0xFF
        memory = ffi.buffer(ffi.cast("char *", argument), request >> 16 & 0x3FFF)
        if not self.plugged:
            return -errno.ENODEV
        if not self.is_camera:
            return -errno.ENOTTY
        if number in {STREAMON, STREAMOFF}:
            return 0
        return {
            QUERYCAP: self._query, S_FMT: self._set_format, REQBUFS: self._request,
            QUERYBUF: self._describe, QBUF: self._queue, DQBUF: self._dequeue,
        }[number](memory)  # fmt: skip

    def _query(self, memory):
        memory[16 : 16 + len(self.card)] = self.card.encode()
        struct.pack_into("=II", memory, 84, DEVICE_CAPS, VIDEO_CAPTURE | STREAMING)
        return 0

    def _set_format(self, memory):
        struct.pack_into(
            "=IIIIII", memory, 8, self.width_px, self.height_px, self.fourcc, FIELD_NONE,
            self.line_bytes, self.picture_bytes,
        )  # fmt: skip
        return 0

    def _request(self, memory):
        (count,) = struct.unpack_from("=I", memory)
        struct.pack_into("=I", memory, 0, min(count, BUFFERS_MAX))
        return 0

    def _describe(self, memory):
        (index,) = struct.unpack_from("=I", memory)
        struct.pack_into("=I", memory, 64, index * 4096)
        struct.pack_into("=I", memory, 72, self.picture_bytes)
        return 0

    def _queue(self, memory):
        self._queued.append(struct.unpack_from("=I", memory)[0])
        return 0

    def _dequeue(self, memory):
        if not self._filled:
            return -errno.EAGAIN
        index, sequence, t_ns = self._filled.popleft()
        struct.pack_into("=I", memory, 0, index)
        struct.pack_into("=II", memory, 8, self.picture_bytes, TIMESTAMP_MONOTONIC)
        struct.pack_into("=qq", memory, 24, t_ns // 10**9, t_ns % 10**9 // 1000)
        struct.pack_into("=I", memory, 56, sequence)
        return 0

    def _poll(self, _context, fds, _count, _timeout_ms):
        memory = ffi.buffer(ffi.cast("char *", fds), 8)
        if not self.plugged:
            struct.pack_into("=h", memory, 6, POLLERR | POLLHUP)
            return 1
        if self.silent:
            return 0
        if self._queued:
            index = self._queued.popleft()
            ffi.buffer(self._memory[index])[:] = self.paint(self._sequence)
            self._filled.append((index, self._sequence, time.monotonic_ns()))
            self._sequence += 1
        struct.pack_into("=h", memory, 6, POLLIN if self._filled else 0)
        return int(bool(self._filled))

    def _mmap(self, _context, _fd, _bytes, offset, memory):
        memory[0] = self._memory[offset // 4096]
        self.mapped += 1
        return 0

    def _munmap(self, _context, _memory, _bytes):
        self.mapped -= 1
        return 0
