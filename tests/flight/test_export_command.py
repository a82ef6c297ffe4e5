"""`lumenode export icd`: the pages of the docs, and the dictionary for programs."""

import json

from flight.export_command import DICTIONARY, main_export
from flight.icd_pages import icd_pages
from flight.telemetry.dictionary import CHANNELS, DICTIONARY_HASH


def test_it_writes_every_page_and_the_dictionary_and_says_so(tmp_path, capsys):
    folder = tmp_path / "deep" / "icd"
    assert main_export(["icd", str(folder)]) == 0
    told = capsys.readouterr().out.split()
    assert told == [str(folder / name) for name in (*icd_pages(), DICTIONARY)]
    for name, text in icd_pages().items():
        assert (folder / name).read_text() == text
    dictionary = json.loads((folder / DICTIONARY).read_text())
    assert dictionary["hash"] == DICTIONARY_HASH
    assert [channel["name"] for channel in dictionary["channels"]] == [c.name for c in CHANNELS]


def test_written_again_it_is_the_same_and_json_names_the_files(tmp_path, capsys):
    assert main_export(["icd", str(tmp_path), "--json"]) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main_export(["icd", str(tmp_path)]) == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(json.loads(capsys.readouterr().out.splitlines()[0])["files"]) == set(before)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main_export(["icd", str(tmp_path / "file")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lumenode export: ")
