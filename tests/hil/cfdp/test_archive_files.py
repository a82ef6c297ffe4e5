"""What an archive's folder says is believed only where it can be checked."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.wire.crc import crc32c
from hil.cfdp.archive_files import ArchiveFiles, logical_name
from hil.cfdp.pdu_values import ChecksumType
from hil.cfdp.sender_values import OutgoingFile

HOSTILE = [
    "..", ".", "", "../a.bin", "a/../../b.bin", "/etc/passwd", "a/b.bin", "a\\b.bin", "C:evil.bin",
    "a\0.bin", ".hidden", "a b.bin", "a\n.bin", "bucket:a.bin", "ä.bin", "-rf", "a" * 129,
    "a;b", "~root",
]  # fmt: skip


def put(folder, name, content=b"abc", product_id=1, names=None, **changes):
    """A product as the archive writes it, except for the changes."""
    if names is None:
        (folder / name).write_bytes(content)
    metadata = {
        "product_id": product_id,
        "crc32c": crc32c(content),
        "size_bytes": len(content),
        "received_ns": product_id,
        "file": name if names is None else names,
    }
    (folder / f"{name}.json").write_text(json.dumps({**metadata, **changes}))


@pytest.fixture
def files(tmp_path):
    made = ArchiveFiles(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_could_leave_a_folder_anywhere_is_refused(name, files, tmp_path):
    assert not logical_name(name)
    put(tmp_path, "innocent", names=name)
    assert files.new_files() == []
    assert list(files.refused) == ["innocent.json"]
    for ask in (lambda f: files.checksum(f, ChecksumType.MODULAR), lambda f: files.read(f, 0, 1)):
        with pytest.raises((OSError, ValueError)):
            ask(OutgoingFile(1, name, 3, 0))


@given(st.text())
def test_every_name_that_may_travel_is_a_plain_one(name):
    if logical_name(name):
        assert Path(name).name == name.strip() == name
        assert name.isascii()
        assert name not in ("", ".", "..")


def test_every_product_is_found_once_the_earliest_first(files, tmp_path):
    put(tmp_path, "late", product_id=2)
    put(tmp_path, "early", product_id=1)
    assert [file.name for file in files.new_files()] == ["early", "late"]
    put(tmp_path, "new", product_id=3)
    put(tmp_path, "again", product_id=3)
    assert [file.product_id for file in files.new_files()] == [3]
    assert files.new_files() == []
    assert files.refused == {}


def test_a_product_whose_own_name_ends_as_metadata_does_is_a_product(files, tmp_path):
    put(tmp_path, "index.json", content=b"[1, 2]")
    (tmp_path / "late.json").write_bytes(b"{}")
    assert [file.name for file in files.new_files()] == ["index.json"]
    assert list(files.refused) == ["late.json"]
    put(tmp_path, "late.json", content=b"{}", product_id=2)
    assert [file.name for file in files.new_files()] == ["late.json"]
    assert files.refused == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"product_id": "1"}, {"size_bytes": 0}, {"size_bytes": 2**40}, {"crc32c": None},
        {"received_ns": []}, {"file": None}, {"file": ["a"]},
    ],
)  # fmt: skip
def test_metadata_with_a_value_of_another_kind_is_refused(changes, files, tmp_path):
    put(tmp_path, "a.bin", **changes)
    assert files.new_files() == []
    assert len(files.refused) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"{", b"7" * 70_000, b"[" * 60_000])
def test_what_is_no_metadata_is_refused(content, files, tmp_path):
    (tmp_path / "a.bin.json").write_bytes(content)
    assert files.new_files() == []
    assert list(files.refused) == ["a.bin.json"]


def test_a_link_out_of_the_archive_is_not_followed(files, tmp_path):
    secret = tmp_path.parent / "secret"
    secret.write_bytes(b"abc")
    put(tmp_path, "a.bin")
    (tmp_path / "a.bin").unlink()
    (tmp_path / "a.bin").symlink_to(secret)
    (file,) = files.new_files()
    with pytest.raises(OSError, match="symbolic links"):
        files.checksum(file, ChecksumType.MODULAR)
    put(tmp_path, "pipe", product_id=2)
    (tmp_path / "pipe").unlink()
    os.mkfifo(tmp_path / "pipe")
    (pipe,) = files.new_files()
    with pytest.raises(OSError, match="regular"):
        files.read(pipe, 0, 1)


@pytest.mark.parametrize("content", [b"abd", b"ab", b"abcd", b""])
def test_a_file_that_is_not_what_its_manifest_says_has_no_checksum(content, files, tmp_path):
    put(tmp_path, "a.bin")
    (file,) = files.new_files()
    assert files.checksum(file, ChecksumType.MODULAR) == int.from_bytes(b"abc\0", "big")
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(OSError, match="manifest"):
        files.checksum(file, ChecksumType.MODULAR)
