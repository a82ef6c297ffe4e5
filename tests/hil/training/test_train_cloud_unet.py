import sys

import numpy as np
import pytest

from hil.training.train_cloud_unet import main


def test_missing_tiles_are_one_line_that_names_the_public_copy(tmp_path, capsys):
    assert main(["--tiles", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert str(tmp_path / "landsat5.npz") in said[0]
    assert "dlr-eoc/ukis-csmask" in said[0]


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_without_the_extra_one_line_names_it(tmp_path, monkeypatch, missing):
    for name in ("landsat5", "landsat7"):
        np.savez(
            tmp_path / f"{name}.npz",
            img=np.full((8, 8, 6), 0.1, np.float32),
            msk=np.full((8, 8, 1), 3, np.uint8),
        )
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit, match=r"pip install 'lumenode\[train,cpu\]'"):
        main(["--tiles", str(tmp_path), "--out", str(tmp_path / "out")])


def test_help_shows_an_example_and_where_the_tiles_are(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "python -m hil.training.train_cloud_unet --tiles" in shown
    assert "dlr-eoc/ukis-csmask" in shown
