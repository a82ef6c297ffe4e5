"""A run's folder holds one run: an earlier one is replaced, and what no run wrote is left alone."""

import pytest

from flight.config import ConfigError
from hil.run_folder import MARK, RUNNING, RunFolder


def test_a_claimed_folder_is_marked_until_the_run_is_complete(tmp_path):
    folder = RunFolder.claim(tmp_path / "deep" / "run")
    assert (folder.path / RUNNING).exists()
    folder.write_text(MARK, "{}")
    folder.complete()
    folder.complete()
    assert [entry.name for entry in folder.path.iterdir()] == [MARK]


def test_an_earlier_run_is_replaced_whole(tmp_path):
    folder = RunFolder.claim(tmp_path)
    folder.write_text(MARK, "old")
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "p.msk").write_bytes(b"old")
    folder.complete()
    RunFolder.claim(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [RUNNING]


def test_a_folder_with_something_else_in_it_is_refused_and_untouched(tmp_path):
    (tmp_path / MARK).write_text("old")
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(ConfigError, match=r"--out .*'thesis\.tex', which no run wrote"):
        RunFolder.claim(tmp_path)
    assert (tmp_path / MARK).read_text() == "old"
    assert not (tmp_path / RUNNING).exists()


def test_a_link_is_removed_and_what_it_points_at_stays(tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    (away / "kept").touch()
    run = tmp_path / "run"
    run.mkdir()
    (run / "products").symlink_to(away, target_is_directory=True)
    RunFolder.claim(run)
    assert (away / "kept").exists()
    assert not (run / "products").is_symlink()


def test_a_path_that_cannot_be_a_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ConfigError, match="not writable") as caught:
            RunFolder.claim(path)
        assert "\n" not in str(caught.value)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    folder = RunFolder.claim(tmp_path)
    folder.write_text(MARK, "first")
    with pytest.raises(UnicodeEncodeError):
        folder.write_text(MARK, "half \udc80")
    assert (tmp_path / MARK).read_text() == "first"
