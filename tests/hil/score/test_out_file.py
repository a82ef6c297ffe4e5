"""A place that cannot be written is known beforehand, and is left as it was."""

from __future__ import annotations

import os

import pytest

from flight.config import ConfigError
from hil.score.out_file import check_out, write_out


def test_a_file_old_or_new_may_be_written_and_the_check_touches_nothing(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_bytes(b"before")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (new, old, pipe):
        check_out(path)
    assert not new.exists()
    assert old.read_bytes() == b"before"
    write_out(old, lambda file: file.write(b"x"))
    assert old.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "Is a directory"),
        ("none/out.npz", "No such file or directory"),
        ("file/out.npz", "No"),
        ("a" * 300, "File name too long"),
    ],
)
def test_what_is_no_place_for_a_file_is_named(tmp_path, name, told):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=f"not writable: {told}"):
        check_out(tmp_path / name)
    with pytest.raises(ConfigError, match="not writable: "):
        write_out(tmp_path / name, lambda file: file.write(b"x"))


def test_an_end_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"before")

    def cut(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_out(path, cut)
    assert path.read_bytes() == b"before"


def test_a_full_disk_is_one_line(tmp_path):
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    check_out(full)
    with pytest.raises(ConfigError, match="not writable: No space left on device"):
        write_out(full, lambda file: file.write(b"x" * 100_000))
