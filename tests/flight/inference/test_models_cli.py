import hashlib
import json
import shutil
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper

from flight.inference.job import BANDS
from flight.inference.model_manifest import ModelBytes, ModelError, Variant
from flight.inference.model_registry import DEFAULT_ROOT, ModelRegistry
from flight.inference.models_cli import main_models
from flight.inference.pack_cli import with_golden
from flight.inference.tile_pixels import pixels_of
from hil.synthetic_scene import synthetic_labelled_tiles


def labelled(path, **change):
    tile, cloud = synthetic_labelled_tiles(seed=9, n=1, size=90)[0]
    arrays = {
        "img": (pixels_of(tile) / 10_000).astype(np.float32)[:, :70],
        "msk": np.where(cloud, 4, 3).astype(np.uint8)[:, :70, None],
    }
    arrays = {key: value for key, value in (arrays | change).items() if value is not None}
    np.savez(path, **arrays)
    return path


def said(capsys, argv):
    code = main_models(argv)
    out, err = capsys.readouterr()
    return code, out, err


def test_evaluate_prints_figures_of_each_variant(tmp_path, capsys):
    path = labelled(tmp_path / "tile.npz")
    code, out, err = said(capsys, ["evaluate", str(path), "--json"])
    figures = json.loads(out)
    assert (code, err, sorted(figures)) == (0, "", ["fp32", "int8", "small"])
    for figure in figures.values():
        assert sorted(figure) == ["accuracy", "f1", "iou"]
        assert figure["f1"] == pytest.approx(2 * figure["iou"] / (1 + figure["iou"]))
    assert abs(figures["fp32"]["iou"] - figures["int8"]["iou"]) <= 0.02
    code, out, _ = said(capsys, ["evaluate", str(path)])
    assert (code, len(out.splitlines())) == (0, 3)


def test_a_perfect_answer_scores_one_and_its_opposite_nothing(tmp_path, capsys):
    path = labelled(tmp_path / "tile.npz")
    first = json.loads(said(capsys, ["evaluate", str(path), "--json"])[1])["fp32"]
    with np.load(path) as arrays:
        mask = np.where(arrays["msk"] == 4, 3, 4).astype(np.uint8)
    path = labelled(tmp_path / "inverted.npz", msk=mask)
    second = json.loads(said(capsys, ["evaluate", str(path), "--json"])[1])["fp32"]
    assert first["accuracy"] + second["accuracy"] == pytest.approx(1.0)


BAD = {
    "no mask": {"msk": None},
    "no image": {"img": None},
    "flat image": {"img": np.zeros((90, 70), np.float32)},
    "five bands": {"img": np.zeros((90, 70, 5), np.float32)},
    "empty": {"img": np.zeros((0, 70, 6), np.float32), "msk": np.zeros((0, 70, 1), np.uint8)},
    "other size": {"msk": np.zeros((90, 71, 1), np.uint8)},
    "flat mask": {"msk": np.zeros((90, 70), np.uint8)},
    "float64": {"img": np.zeros((90, 70, 6), np.float64)},
    "int mask": {"msk": np.zeros((90, 70, 1), np.int64)},
    "nan": {"img": np.full((90, 70, 6), np.nan, np.float32)},
    "digital numbers": {"img": np.full((90, 70, 6), 3000.0, np.float32)},
    "pickled": {"img": np.array([{"a": 1}], dtype=object)},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_bad_arrays_are_one_line_and_exit_code_2(tmp_path, capsys, change):
    path = labelled(tmp_path / "bad.npz", **change)
    code, out, err = said(capsys, ["evaluate", str(path), "--json"])
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert str(path) in err


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not really", b"\x93NUMPY garbage", b"text"])
def test_a_file_that_is_no_archive_is_one_line_and_exit_code_2(tmp_path, capsys, data):
    path = tmp_path / "bad.npz"
    path.write_bytes(data)
    code, _, err = said(capsys, ["evaluate", str(path)])
    assert (code, len(err.splitlines())) == (2, 1)


def test_damaged_archives_never_escape_as_a_trace(tmp_path, capsys):
    good = labelled(tmp_path / "good.npz").read_bytes()
    path = tmp_path / "bad.npz"
    for at in range(0, len(good), len(good) // 40):
        path.write_bytes(good[:at])
        assert said(capsys, ["evaluate", str(path)])[0] == 2
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    path.write_bytes(flipped)
    assert said(capsys, ["evaluate", str(path)])[0] == 2


def test_a_missing_file_and_a_folder_are_one_line(tmp_path, capsys):
    for path in (tmp_path / "missing.npz", tmp_path):
        code, _, err = said(capsys, ["evaluate", str(path)])
        assert (code, len(err.splitlines())) == (2, 1)


def test_verify_passes_on_the_shipped_models(capsys):
    code, out, _ = said(capsys, ["verify", "--json"])
    answer = json.loads(out)["cloud_unet"]
    assert code == 0
    assert all(answer[variant]["ok"] for variant in ("fp32", "int8"))


def test_verify_reports_a_damaged_model_and_still_checks_the_rest(tmp_path, capsys):
    shutil.copytree(DEFAULT_ROOT / "cloud_unet", tmp_path / "cloud_unet")
    path = tmp_path / "cloud_unet" / "fp32.onnx"
    path.write_bytes(path.read_bytes() + b"x")
    code, out, _ = said(capsys, ["--root", str(tmp_path), "--json", "verify"])
    answer = json.loads(out)["cloud_unet"]
    assert code == 1
    assert str(path) in answer["fp32"]["error"]
    assert answer["int8"]["ok"]


def test_verify_reports_what_has_no_manifest_or_does_not_load_and_still_checks_the_rest(
    tmp_path, capsys
):
    for name in ("a_broken", "cloud_unet"):
        shutil.copytree(DEFAULT_ROOT / "cloud_unet", tmp_path / name)
    (tmp_path / "a_broken" / "manifest.json").write_text("{")
    path = tmp_path / "cloud_unet" / "manifest.json"
    (tmp_path / "cloud_unet" / "fp32.onnx").write_bytes(b"no network")
    manifest = json.loads(path.read_text())
    manifest["variants"]["fp32"]["sha256"] = hashlib.sha256(b"no network").hexdigest()
    path.write_text(json.dumps(manifest))
    code, out, _ = said(capsys, ["--root", str(tmp_path), "--json", "verify"])
    answer = json.loads(out)
    assert code == 1
    assert "manifest not readable" in answer["a_broken"]["manifest.json"]["error"]
    assert "does not load" in answer["cloud_unet"]["fp32"]["error"]
    assert answer["cloud_unet"]["int8"]["ok"]


def test_verify_notices_a_network_that_answers_differently(tmp_path, capsys):
    shutil.copytree(DEFAULT_ROOT / "cloud_unet", tmp_path / "cloud_unet")
    path = tmp_path / "cloud_unet" / "manifest.json"
    manifest = json.loads(path.read_text())
    variants = manifest["variants"]
    for key in ("file", "sha256", "size_bytes"):
        variants["fp32"][key] = variants["int8"][key]
    path.write_text(json.dumps(manifest))
    code, out, _ = said(capsys, ["--root", str(tmp_path), "verify"])
    assert code == 1
    assert "fp32: FAILED: golden tile deviates" in out


def test_an_empty_folder_of_models_is_no_success(tmp_path, capsys):
    assert said(capsys, ["--root", str(tmp_path), "verify"])[0] == 2


def test_the_list_names_versions_and_sizes(capsys):
    code, out, _ = said(capsys, [])
    assert code == 0
    assert out.startswith("cloud_unet 1.")


def test_without_the_runtime_one_line_names_the_extra(tmp_path):
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('not here')")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(DEFAULT_ROOT.parents[2])!r}]\n"
        "from flight.inference.models_cli import main_models\nsys.exit(main_models(['verify']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "lumenode[cpu]" in done.stderr


def test_faults_are_put_in_and_what_became_of_them_is_told_with_intervals(capsys):
    assert main_models(["inject", "--flips", "3", "--seed", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["flips"], told["seed"], told["model"]) == (3, 5, "cloud_unet/fp32")
    assert told["places"]["exponent"]["trials"] == told["places"]["exponent"]["noticed"] == 3
    low, high = told["weights"]["detected_ci"]
    assert 0.0 <= low <= high <= 1.0


def test_a_network_whose_answer_is_no_probability_gets_no_golden_answer_of_its_own():
    nan = helper.make_tensor("nan", TensorProto.FLOAT, [1], [float("nan")])
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1], keepdims=1),
        helper.make_node("Constant", [], ["nan"], value=nan),
        helper.make_node("Mul", ["m", "nan"], ["y"]),
    ]
    shapes = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, "h", "w"])
        for name, count in (("x", 6), ("y", 1))
    ]
    graph = helper.make_graph(nodes, "nan", shapes[:1], shapes[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
    model.ir_version = 8
    data = model.SerializeToString()
    sha256 = hashlib.sha256(data).hexdigest()
    known = ModelRegistry().manifest("cloud_unet")
    manifest = msgspec.structs.replace(known, variants={"fp32": Variant("nan.onnx", sha256)})
    with pytest.raises(ModelError, match="golden tile: answer is "):
        with_golden(ModelBytes("nan", "fp32", sha256, data, manifest), list(BANDS))


def test_a_network_without_weights_has_nothing_to_be_hit(tmp_path, capsys):
    bands = ", ".join(f'"{band}"' for band in BANDS)
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=1)
    shapes = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, "h", "w"])
        for name, count in (("x", 6), ("y", 1))
    ]
    graph = helper.make_graph([node], "mean", shapes[:1], shapes[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
    model.ir_version = 8
    data = model.SerializeToString()
    folder = tmp_path / "mean"
    folder.mkdir()
    (folder / "mean.onnx").write_bytes(data)
    (folder / "manifest.json").write_text(
        '{"format": 1, "name": "mean", "version": "1", "threshold": 0.5, "input": {"layout": '
        f'"NCHW float32", "bands": [{bands}], "scale": 10000, "multiple_px": 1}}, "variants": '
        f'{{"fp32": {{"file": "mean.onnx", "sha256": "{hashlib.sha256(data).hexdigest()}"}}}}}}'
    )
    assert main_models(["--root", str(tmp_path), "inject", "--model", "mean"]) == 2
    assert "mean/fp32: no weights that the node holds itself" in capsys.readouterr().err
