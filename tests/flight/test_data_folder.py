"""A data folder is flown by one process, in a layout that this software knows, up to its cap."""

import json
import os

import pytest

from flight.config import ConfigError
from flight.data_folder import (
    INDEX_BYTES,
    SCHEMA,
    SCHEMA_FILE,
    claim_folder,
    folder_cap_bytes,
    schema_of,
    usage_of,
)
from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.link_config import StoreConfig


def claimed(folder, **options):
    os.close(claim_folder(folder, **options))
    return json.loads((folder / SCHEMA_FILE).read_text())


def test_a_fresh_folder_gets_the_schema_of_this_software(tmp_path):
    folder = tmp_path / "deep" / "data"
    assert claimed(folder)["schema"] == SCHEMA
    assert schema_of(folder) == SCHEMA
    assert not (folder / (SCHEMA_FILE + ".new")).exists()


def test_a_folder_from_before_the_schema_file_is_adopted_with_all_it_holds(tmp_path):
    store = ProductStore(FolderStore(tmp_path / "segments"), tmp_path / "index.sqlite")
    store.recover()
    store.store_counter("iv", 41)
    store.close()
    assert schema_of(tmp_path) == 0
    assert claimed(tmp_path)["schema"] == SCHEMA
    store = ProductStore(FolderStore(tmp_path / "segments"), tmp_path / "index.sqlite")
    store.recover()
    assert store.load_counter("iv") == 41
    store.close()


def test_what_a_later_version_wrote_is_refused_in_one_line_and_left_alone(tmp_path):
    claimed(tmp_path)
    later = json.dumps({"schema": SCHEMA + 1, "software": "9.0.0"})
    (tmp_path / SCHEMA_FILE).write_text(later)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ConfigError) as caught:
        claim_folder(tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    for word in (str(tmp_path), f"layout is {SCHEMA + 1}", f"up to {SCHEMA}"):
        assert word in line
    assert (tmp_path / SCHEMA_FILE).read_text() == later
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("content", ["", "{}", '{"schema": "new"}', "not json"])
def test_a_schema_file_that_does_not_say_it_is_refused_with_its_name(tmp_path, content):
    (tmp_path / SCHEMA_FILE).write_text(content)
    with pytest.raises(ConfigError, match=SCHEMA_FILE) as caught:
        claim_folder(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_older_layout_is_brought_forward_step_by_step(tmp_path):
    (tmp_path / SCHEMA_FILE).write_text('{"schema": 1}')
    done = []
    steps = {1: lambda _folder: done.append(1), 2: lambda _folder: done.append(2)}
    assert claimed(tmp_path, schema=3, migrations=steps)["schema"] == 3
    assert claimed(tmp_path, schema=3, migrations=steps)["schema"] == 3
    assert done == [1, 2]


def test_a_migration_that_is_cut_short_goes_on_where_it_stopped(tmp_path):
    (tmp_path / SCHEMA_FILE).write_text('{"schema": 1}')
    done = []

    def broken(_folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(ConfigError, match="No space left"):
        claim_folder(tmp_path, schema=3, migrations={1: lambda _folder: done.append(1), 2: broken})
    assert schema_of(tmp_path) == 2
    steps = {1: lambda _folder: done.append(1), 2: lambda _folder: done.append(2)}
    assert claimed(tmp_path, schema=3, migrations=steps)["schema"] == 3
    assert done == [1, 2]


def test_a_layout_that_nobody_can_bring_forward_is_refused(tmp_path):
    (tmp_path / SCHEMA_FILE).write_text('{"schema": 1}')
    with pytest.raises(ConfigError, match="layout is 1"):
        claim_folder(tmp_path, schema=3, migrations={})


def test_a_claimed_folder_is_refused_and_a_refused_one_is_not_claimed(tmp_path):
    claim = claim_folder(tmp_path)
    with pytest.raises(ConfigError, match="another flight process has it"):
        claim_folder(tmp_path)
    os.close(claim)
    (tmp_path / SCHEMA_FILE).write_text("{}")
    with pytest.raises(ConfigError, match=SCHEMA_FILE):
        claim_folder(tmp_path)
    (tmp_path / SCHEMA_FILE).unlink()
    claimed(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"board\.data = .*Not a directory"):
        claim_folder(tmp_path / "file" / "data")


def test_usage_counts_what_is_there_and_knows_the_cap(tmp_path):
    store = StoreConfig(cap_bytes=50_000_000, segment_bytes=1_000_000)
    assert folder_cap_bytes(store) == 4 * 50_000_000 + 1_000_000 + INDEX_BYTES
    nowhere = usage_of(tmp_path / "not" / "yet", store)
    assert nowhere.used_bytes == 0
    assert nowhere.free_bytes > 0
    claimed(tmp_path)
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "segment-0000000001.log").write_bytes(bytes(70_000))
    used = usage_of(tmp_path, store)
    assert 70_000 < used.used_bytes < 71_000
    assert used.fits == (used.cap_bytes - used.used_bytes <= used.free_bytes)


@pytest.mark.parametrize(("free", "fits"), [(100, True), (99, False)])
def test_a_cap_larger_than_the_free_space_does_not_fit(tmp_path, monkeypatch, free, fits):
    store = StoreConfig(cap_bytes=1_000_000, segment_bytes=65_536)
    usage = __import__("shutil").disk_usage("/")._replace(free=folder_cap_bytes(store) - 100 + free)
    monkeypatch.setattr("flight.data_folder.shutil.disk_usage", lambda _path: usage)
    assert usage_of(tmp_path / "none", store).fits is fits
