"""Acknowledged means durable: hundreds of kills, hundreds of power cuts, and controls that lose."""

import functools
import os
import sqlite3

import pytest
from campaign import Campaign, times
from forgetting_files import cut_power

pytestmark = pytest.mark.slow


def power_cuts_of(folder):
    return functools.partial(cut_power, folder)


def test_nothing_acknowledged_is_lost_or_done_twice_over_150_kills(tmp_path):
    campaign = Campaign(tmp_path)
    ledger = campaign.run(times(150))
    assert ledger.contradictions == []
    assert campaign.acknowledged > 10 * campaign.crashes, "they had something to lose"
    assert ledger.delivered, "and to do twice"


def test_a_node_that_acknowledges_too_early_is_found_out_by_kills(tmp_path):
    ledger = Campaign(tmp_path, eager=True).run(30)
    assert ledger.lost


def test_nothing_acknowledged_is_lost_or_done_twice_over_200_power_cuts(forgetting_folder):
    campaign = Campaign(forgetting_folder, power_cuts_of(forgetting_folder))
    ledger = campaign.run(times(200))
    assert ledger.contradictions == []
    assert campaign.acknowledged > 10 * campaign.crashes, "they had something to lose"
    assert ledger.delivered, "and to do twice"


def test_a_node_that_does_not_sync_is_found_out_by_power_cuts(forgetting_folder):
    ledger = Campaign(forgetting_folder, power_cuts_of(forgetting_folder), synced=False).run(30)
    assert ledger.lost


def test_the_mount_forgets_what_was_not_synced_and_keeps_what_was(forgetting_folder):
    path = forgetting_folder / "file"
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    os.pwrite(handle, b"synced", 0)
    os.fsync(handle)
    around = os.open(forgetting_folder, os.O_RDONLY)
    os.fsync(around)
    os.close(around)
    seen = set()
    for seed in range(20):
        os.pwrite(handle, b"lost" * 2000, 600)
        (forgetting_folder / "name").write_bytes(b"of a folder that was not synced")
        cut_power(forgetting_folder, seed)
        assert [each.name for each in forgetting_folder.iterdir()] == ["file"]
        with path.open("rb") as file:
            content = file.read()
        assert content[:6] == b"synced"
        seen.add(content.count(b"lost"))
        os.ftruncate(handle, 6)
        os.fsync(handle)
    os.close(handle)
    assert {0, 2000} < seen, "nothing, everything and something in between"


@pytest.mark.parametrize(("synchronous", "loses"), [("FULL", False), ("OFF", True)])
def test_sqlite_itself_keeps_its_word_on_this_mount_only_when_it_syncs(
    forgetting_folder, synchronous, loses
):
    path, lost = forgetting_folder / "db.sqlite3", 0
    rows = 0
    for seed in range(12):
        db = sqlite3.connect(path)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {synchronous}")
        try:
            db.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
            found = db.execute("SELECT count(*) FROM t").fetchone()[0]
        except sqlite3.DatabaseError:
            found = -1
        if found < rows:
            lost += 1
            db.close()
            path.unlink(missing_ok=True)
            rows = 0
            continue
        for _ in range(5):
            db.execute("INSERT INTO t VALUES (1)")
            db.commit()
            rows += 1
        if seed == 0 and synchronous == "FULL":
            around = os.open(forgetting_folder, os.O_RDONLY)
            os.fsync(around)  # the main file's name: SQLite syncs that of the log alone
            os.close(around)
        cut_power(forgetting_folder, seed)
        db.close()
    assert bool(lost) is loses
