import lightgbm
import numpy as np
import onnxruntime as ort
import pytest

from hil.training.tree_export import INPUT, TreeError, exported

BANDS = 10


def trained(seed=1, rounds=30, **params):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 13_000, (4_000, BANDS)).astype(np.float32) / np.float32(10_000)
    cloud = (rows[:, 0] + rows[:, 3] * rows[:, 7] > 0.9 + 0.1 * rng.normal(size=4_000)).astype(int)
    options = {"objective": "binary", "verbose": -1, "num_leaves": 60, "use_missing": False}
    return lightgbm.train(options | params, lightgbm.Dataset(rows, cloud), rounds)


def answers(booster, rows):
    network = exported(booster.dump_model()).SerializeToString()
    session = ort.InferenceSession(network, providers=["CPUExecutionProvider"])
    return session.run(None, {INPUT: rows})[0][:, 0]


def thresholds(booster):
    """Of each band, every threshold of the ensemble."""
    found, waiting = [[] for _ in range(BANDS)], [
        tree["tree_structure"] for tree in booster.dump_model()["tree_info"]
    ]  # fmt: skip
    while waiting:
        node = waiting.pop()
        if "threshold" in node:
            found[node["split_feature"]].append(node["threshold"])
            waiting += [node["left_child"], node["right_child"]]
    return found


def test_the_graph_answers_as_the_library_does():
    booster = trained()
    rows = np.random.default_rng(2).random((20_000, BANDS), dtype=np.float32) * 2
    assert np.abs(answers(booster, rows) - booster.predict(rows)).max() <= 1e-6


def test_pixels_that_lie_on_a_threshold_or_right_beside_it_go_down_the_same_branch():
    booster, rng = trained(), np.random.default_rng(3)
    rows = np.empty((20_000, BANDS), np.float32)
    for band, known in enumerate(thresholds(booster)):
        on = rng.choice(np.array(known or [0.5]), len(rows)).astype(np.float32)
        beside = np.nextafter(on, np.float32(9) * rng.choice([-1, 1], len(rows)))
        rows[:, band] = np.where(rng.random(len(rows)) < 0.4, on, beside)
    assert np.abs(answers(booster, rows) - booster.predict(rows)).max() <= 1e-6


def test_a_steeper_curve_is_taken_over():
    booster = trained(sigmoid=2.5)
    rows = np.random.default_rng(4).random((2_000, BANDS), dtype=np.float32)
    assert np.abs(answers(booster, rows) - booster.predict(rows)).max() <= 1e-6


@pytest.mark.parametrize(
    "params",
    [
        {"objective": "regression"},
        {"objective": "multiclass", "num_class": 3},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    ],
)
def test_an_ensemble_of_another_kind_is_refused(params):
    with pytest.raises(TreeError, match="allowed: binary"):
        exported(trained(rounds=2, **params).dump_model())


def test_a_split_that_depends_on_missing_values_is_refused():
    with pytest.raises(TreeError, match="missing values as Zero"):
        exported(trained(rounds=2, use_missing=True, zero_as_missing=True).dump_model())
