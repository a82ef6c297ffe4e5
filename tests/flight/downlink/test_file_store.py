"""One contract for both file stores, and the memory one's power cuts."""

from __future__ import annotations

import errno

import pytest

from flight.downlink.file_store import FolderStore
from flight.downlink.file_store_memory import MemoryFileStore


@pytest.fixture(params=["folder", "memory"])
def files(request, tmp_path):
    return FolderStore(tmp_path / "s") if request.param == "folder" else MemoryFileStore()


def test_a_file_keeps_what_is_written(files):
    handle = files.open("a", create=True)
    files.preallocate(handle, 5000)
    assert files.size_bytes(handle) == 5000
    assert files.pread(handle, 10_000, 0) == bytes(5000)
    files.pwrite(handle, b"hello", 4990)
    files.pwrite(handle, b"again", 4998)
    files.fdatasync(handle)
    files.fsync_dir()
    assert files.pread(handle, 100, 4990) == b"hello\0\0\0again"
    files.close(handle)
    again = files.open("a")
    assert files.pread(again, 5, 4990) == b"hello"
    files.close(again)
    assert files.names() == ["a"]
    files.unlink("a")
    assert files.names() == []


def test_missing_and_existing_names_are_refused(files):
    with pytest.raises(FileNotFoundError):
        files.open("missing")
    files.close(files.open("a", create=True))
    with pytest.raises(FileExistsError):
        files.open("a", create=True)


def opened(files):
    handle = files.open("a", create=True)
    files.preallocate(handle, 16)
    files.fsync_dir()
    return handle


def test_a_power_cut_takes_what_was_not_synced_and_leaves_what_was():
    files = MemoryFileStore()
    handle = opened(files)
    files.pwrite(handle, b"1234", 0)
    files.fdatasync(handle)
    files.pwrite(handle, b"5678", 4)
    files.pwrite(handle, b"9", 8)
    assert files.pread(handle, 9, 0) == b"123456789"
    for torn, expected in ((0, b"1234"), (2, b"123456"), (5, b"123456789")):
        after = files.power_cut(torn)
        assert after.pread(after.open("a"), 9, 0).rstrip(b"\0") == expected


def test_a_medium_that_does_not_write_in_order_loses_octets_in_the_middle():
    files = MemoryFileStore()
    handle = opened(files)
    files.pwrite(handle, b"1234", 0)
    files.pwrite(handle, b"5678", 4)
    assert files.unsynced_bytes() == 8
    for lost, expected in (
        (range(3, 5), b"123\0\x00678"),
        (range(4), b"\0\0\0\x005678"),
        (range(6, 99), b"123456"),
    ):
        after = files.power_cut(8, lost)
        assert after.pread(after.open("a"), 8, 0) == expected.ljust(8, b"\0")


def test_a_name_that_was_not_synced_is_gone_after_a_power_cut():
    files = MemoryFileStore()
    opened(files)
    files.open("b", create=True)
    files.unlink("a")
    assert files.names() == ["b"]
    assert files.power_cut().names() == ["a"]


def test_a_lying_sync_loses_data():
    files = MemoryFileStore(sync_lies=True)
    handle = opened(files)
    files.pwrite(handle, b"1234", 0)
    files.fdatasync(handle)
    after = files.power_cut()
    assert after.pread(after.open("a"), 4, 0) == bytes(4)


def test_a_full_medium_says_so_and_a_broken_one_too():
    files = MemoryFileStore(capacity_bytes=20)
    handle = opened(files)
    with pytest.raises(OSError, match="space") as caught:
        files.preallocate(files.open("b", create=True), 16)
    assert caught.value.errno == errno.ENOSPC
    files.sync_fails = True
    with pytest.raises(OSError, match="error"):
        files.fdatasync(handle)
    assert files.syncs == 1
