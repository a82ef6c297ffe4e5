"""`lumenode score downlink`: a ledger on disk, figures on the screen, one line for bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_case import S, save, small_case

from flight.__main__ import main
from hil.score.downlink_harness import DownlinkHarness


def test_a_case_is_flown_and_its_ledger_written(tmp_path, capsys):
    save(small_case([(0, 300_000, 1000, -1)] * 3), tmp_path / "case")
    out = tmp_path / "ledger.npz"
    case = ["--case", str(tmp_path / "case"), "--out", str(out)]
    assert main(["score", "downlink", *case, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["eta_V"] == 1.0
    assert 0 < result["eta_E"] <= 1
    with np.load(out, allow_pickle=False) as ledger:
        assert int(ledger["version"]) == 1
        assert sorted(ledger["ack_pid"].tolist()) == [0, 1, 2]
    assert main(["score", "downlink", *case, "--no-bound", "--policy", "density"]) == 0
    assert "of what is possible" not in capsys.readouterr().out


def test_a_place_for_the_ledger_is_looked_at_before_the_flight(tmp_path, monkeypatch):
    monkeypatch.setattr(DownlinkHarness, "fly", lambda _: pytest.fail("flown"))
    save(small_case([(0, 1000, 1000, -1)]), tmp_path / "case")
    out = str(tmp_path / "none" / "ledger.npz")
    assert main(["score", "downlink", "--case", str(tmp_path / "case"), "--out", out]) == 2


def test_bad_input_is_one_line_and_exit_code_two(tmp_path, capsys):
    save(small_case([(0, 1000, 1000, -1)], passes=((S, 40),)), tmp_path / "case")
    nowhere = str(tmp_path / "missing" / "ledger.npz")
    for arguments in (
        [],
        ["uplink"],
        ["downlink", "--case", str(tmp_path), "--out", "x.npz"],
        ["downlink", "--case", str(tmp_path / "case"), "--out", nowhere],
        ["downlink", "--case", str(tmp_path / "case"), "--out", str(tmp_path)],
        ["downlink", "--case", str(tmp_path / "case" / "case.json"), "--out", "x.npz"],
    ):
        assert main(["score", *arguments]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert error.startswith("lumenode score: ")
    spoilt = small_case([(0, -1, 1000, -1)], passes=((S, 40),))
    save(spoilt, tmp_path / "case")
    assert main(["score", "downlink", "--case", str(tmp_path / "case"), "--out", "x.npz"]) == 2
    told = "case/case.npz: size: allowed is 1 to 1099511627775\n"
    assert capsys.readouterr().err == f"lumenode score: {tmp_path}/{told}"
    assert main(["score", "--help"]) == 0
    assert "downlink" in capsys.readouterr().out
