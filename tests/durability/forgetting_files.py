"""A file system that forgets: at a power cut, what was not synced is gone, or partly there.

    python forgetting_files.py FOLDER

Mounted by FUSE, in memory, for one writer at a time. Names are durable when their directory was
synced, content and size when the file was; between two syncs any sector may have reached the
medium and any other not, which is all that POSIX promises. `cut_power` asks the mount to forget.
"""

import errno
import os
import random
import stat
import sys
import time

import mfusepy

SECTOR = 512
POWER_CUT = "user.power_cut"
"""Setting this attribute of the mounted folder, with a seed as its value, is a power cut."""


def cut_power(folder, seed):
    """Everything that was not synced since the last cut is forgotten, or torn, as `seed` draws."""
    os.setxattr(folder, POWER_CUT, str(seed).encode())


class File:
    """What a file holds, what of it is durable, and which sectors were written since."""

    def __init__(self):
        self.content, self.durable, self.dirty = bytearray(), b"", set()

    def write(self, data, offset):
        self.content.extend(bytes(max(0, offset + len(data) - len(self.content))))
        self.content[offset : offset + len(data)] = data
        self.dirty.update(range(offset // SECTOR, -(-(offset + len(data)) // SECTOR)))

    def truncate(self, length):
        changed = min(length, len(self.content))
        self.dirty.update(range(changed // SECTOR, -(-max(length, len(self.content)) // SECTOR)))
        del self.content[length:]
        self.content.extend(bytes(length - len(self.content)))

    def sync(self):
        if self.dirty:
            self.durable = bytes(self.content)
            self.dirty.clear()

    def cut(self, draw):
        """Nothing, everything or any of the sectors written since the last sync is there."""
        share = draw.choice((0.0, 0.0, 0.5, 1.0))
        kept = [sector for sector in sorted(self.dirty) if draw.random() < share]
        left = bytearray(self.durable)
        for sector in kept:
            piece = self.content[sector * SECTOR : (sector + 1) * SECTOR]
            left.extend(bytes(max(0, sector * SECTOR - len(left))))
            left[sector * SECTOR : sector * SECTOR + len(piece)] = piece
        self.content, self.durable = left, bytes(left)
        self.dirty.clear()


class Folder:
    """Names of a directory, and those that are durable."""

    def __init__(self):
        self.names, self.durable = {}, {}

    def sync(self):
        self.durable = dict(self.names)

    def cut(self, draw):
        self.names = dict(self.durable)
        for inside in self.names.values():
            inside.cut(draw)


class ForgettingFiles(mfusepy.Operations):
    """The operations that a store, SQLite and a boot record need."""

    use_ns = True

    def __init__(self):
        self._root = Folder()
        self._handles, self._next = {}, 1

    def _find(self, path):
        place = self._root
        for name in filter(None, path.split("/")):
            if not isinstance(place, Folder) or name not in place.names:
                raise mfusepy.FuseOSError(errno.ENOENT)
            place = place.names[name]
        return place

    def _around(self, path):
        before, _, name = path.rpartition("/")
        return self._find(before), name

    def _handle(self, file):
        handle, self._next = self._next, self._next + 1
        self._handles[handle] = file
        return handle

    def getattr(self, path, fh=None):
        place = self._handles.get(fh) or self._find(path)
        now = time.time_ns()
        times = {"st_atime": now, "st_mtime": now, "st_ctime": now}
        if isinstance(place, Folder):
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2, **times}
        size = len(place.content)
        return {"st_mode": stat.S_IFREG | 0o640, "st_nlink": 1, "st_size": size, **times}

    def readdir(self, path, _fh):
        return [".", "..", *self._find(path).names]

    def mkdir(self, path, _mode):
        around, name = self._around(path)
        around.names[name] = Folder()

    def create(self, path, _mode, _fi=None):
        around, name = self._around(path)
        around.names[name] = File()
        return self._handle(around.names[name])

    def open(self, path, flags):
        file = self._find(path)
        if flags & os.O_TRUNC:
            file.truncate(0)
        return self._handle(file)

    def read(self, _path, size, offset, fh):
        return bytes(self._handles[fh].content[offset : offset + size])

    def write(self, _path, data, offset, fh):
        self._handles[fh].write(data, offset)
        return len(data)

    def truncate(self, path, length, fh=None):
        (self._handles.get(fh) or self._find(path)).truncate(length)

    def fsync(self, _path, _datasync, fh):
        self._handles[fh].sync()
        return 0

    def fsyncdir(self, path, _datasync, _fh):
        self._find(path).sync()
        return 0

    def unlink(self, path):
        around, name = self._around(path)
        if around.names.pop(name, None) is None:
            raise mfusepy.FuseOSError(errno.ENOENT)

    rmdir = unlink

    def rename(self, old, new, *_flags):
        around, name = self._around(old)
        file = around.names.pop(name)
        there, name = self._around(new)
        there.names[name] = file

    def release(self, _path, fh):
        self._handles.pop(fh, None)
        return 0

    def statfs(self, _path):
        blocks = 1 << 22
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": blocks, "f_bavail": blocks}

    def chmod(self, _path, _mode):
        return 0

    def utimens(self, _path, _times=None):
        return 0

    def setxattr(self, path, name, value, _options, _position=0):
        if name != POWER_CUT or path != "/":
            raise mfusepy.FuseOSError(errno.ENOTSUP)
        self._root.cut(random.Random(bytes(value)))
        return 0


if __name__ == "__main__":
    mfusepy.FUSE(
        ForgettingFiles(), sys.argv[1], foreground=True, nothreads=True, attr_timeout=0,
        entry_timeout=0, negative_timeout=0,
    )  # fmt: skip
