import contextlib

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.inference.model_registry import ModelRegistry
from flight.inference.onnx_weights import OnnxError, require_whole, weights_of, without_defaults


def a_model(variant="fp32"):
    return ModelRegistry().load("cloud_unet", variant).data


@pytest.mark.parametrize("variant", ["fp32", "int8", "small"])
def test_every_weight_is_the_one_that_the_formats_own_library_reads(variant):
    graph = onnx.load_model_from_string(a_model(variant)).graph
    theirs = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    ours = {
        weight.name: np.frombuffer(weight.data, weight.dtype).reshape(weight.shape)
        for weight in weights_of(a_model(variant))
    }
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype
        assert np.array_equal(array, theirs[name])


def test_the_shipped_network_has_the_weights_of_its_layer_table():
    weights = {weight.name: weight for weight in weights_of(a_model())}
    assert weights["enc1a_w"].shape == (8, 6, 3, 3)
    assert weights["enc1a_w"].dtype == "<f4"
    assert sum(len(weight.data) for weight in weights.values()) > 100_000


@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_but_the_named_error(data):
    with contextlib.suppress(OnnxError):
        weights_of(data)


def test_a_network_that_is_cut_off_is_refused():
    data = a_model()
    with pytest.raises(OnnxError, match="beyond the end"):
        weights_of(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"\x0b", b"\x3a\x7f", b"\xff" * 12, b"\x3d\x00"])
def test_what_is_no_wire_format_is_refused(data):
    with pytest.raises(OnnxError):
        weights_of(data)


def test_packed_and_single_dimensions_are_read_alike_and_unknown_types_left_out():
    def field(number, body):
        return bytes([number << 3 | 2, len(body)]) + body

    tensor = b"\x0a\x02\x02\x03" + b"\x10\x01" + field(8, b"w") + field(9, bytes(24))
    single = b"\x08\x02\x08\x03" + b"\x10\x01" + field(8, b"v") + field(9, bytes(24))
    text = b"\x08\x01" + b"\x10\x08" + field(8, b"s") + field(9, b"x")
    fixed = b"\x1d\0\0\0\0" + b"\x19" + bytes(8)
    graph = fixed + b"".join(field(5, each) for each in (tensor, single, text))
    found = weights_of(field(7, graph))
    assert [(w.name, w.shape) for w in found] == [("w", (2, 3)), ("v", (2, 3))]


def test_a_weight_that_is_named_as_an_input_too_is_a_weight_alone():
    model = onnx.load_model_from_string(a_model())
    given = [each.name for each in model.graph.input]
    model.ir_version = 3
    for tensor in model.graph.initializer:
        value = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(value)
    kept = onnx.load_model_from_string(without_defaults(model.SerializeToString()))
    assert [each.name for each in kept.graph.input] == given
    assert kept.ir_version == 4
    assert kept.graph.initializer == model.graph.initializer
    assert kept.graph.node == model.graph.node


def test_a_network_of_today_is_left_as_it_is():
    theirs, ours = (
        onnx.load_model_from_string(each) for each in (a_model(), without_defaults(a_model()))
    )
    assert ours == theirs


@given(st.binary(max_size=200))
def test_any_bytes_are_rewritten_or_refused(data):
    with contextlib.suppress(OnnxError):
        without_defaults(data)


def outside(name="secret"):
    tensor = onnx.TensorProto(name=name, dims=[1], data_type=onnx.TensorProto.FLOAT)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def in_an_initializer(model):
    model.graph.initializer.append(outside())


def in_a_node(model):
    model.graph.node.append(onnx.helper.make_node("Constant", [], ["c"], value=outside()))


def in_a_list_of_a_node(model):
    model.graph.node.append(onnx.helper.make_node("Odd", [], ["c"], values=[outside()]))


def in_a_branch(model):
    branch = onnx.helper.make_graph([], "branch", [], [], initializer=[outside()])
    node = onnx.helper.make_node("If", ["x"], ["y"], then_branch=branch)
    model.graph.node.append(node)


def in_a_sparse_one(model):
    model.graph.sparse_initializer.add().values.CopyFrom(outside())


def in_the_places_of_a_sparse_one_of_a_node(model):
    attribute = model.graph.node.add(op_type="Constant").attribute.add(name="sparse_value")
    attribute.sparse_tensor.indices.CopyFrom(outside())


def in_a_function(model):
    inner = onnx.helper.make_node("Constant", [], ["c"], value=outside())
    model.functions.add(name="f").node.append(inner)


def in_what_a_function_takes_if_nothing_is_said(model):
    function = model.functions.add(name="f")
    function.attribute_proto.append(onnx.helper.make_attribute("a", outside()))


@pytest.mark.parametrize(
    "put",
    [
        in_an_initializer, in_a_node, in_a_list_of_a_node, in_a_branch, in_a_sparse_one,
        in_the_places_of_a_sparse_one_of_a_node, in_a_function,
        in_what_a_function_takes_if_nothing_is_said,
    ],
)  # fmt: skip
def test_a_tensor_in_another_file_is_refused_wherever_it_stands(put):
    model = onnx.load_model_from_string(a_model())
    put(model)
    with pytest.raises(OnnxError, match="tensor 'secret' lies in another file"):
        require_whole(model.SerializeToString())


@pytest.mark.parametrize("variant", ["fp32", "int8", "small"])
def test_the_shipped_networks_are_whole(variant):
    require_whole(a_model(variant))


def test_what_is_nested_without_end_is_refused():
    data = b""
    for number in [7, *[1, 5, 6] * 100][::-1]:
        size, more = len(data), b""
        while size > 0x7F:
            more += bytes([size & 0x7F | 0x80])
            size >>= 7
        data = bytes([number << 3 | 2]) + more + bytes([size]) + data
    with pytest.raises(OnnxError, match="nested deeper"):
        require_whole(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_whole_or_refused(data):
    with contextlib.suppress(OnnxError):
        require_whole(data)
