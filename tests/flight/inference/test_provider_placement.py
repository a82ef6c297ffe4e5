import pytest

from flight.inference.provider_placement import CPU, placement_fault

CUDA, TRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"


def test_every_node_on_the_wanted_provider_is_no_fault():
    assert placement_fault([CPU], [(CPU, "Conv"), (CPU, "Relu")]) == ""
    assert placement_fault([CUDA, CPU], [(CUDA, "Conv"), (CUDA, "Resize")]) == ""


def test_tensorrt_may_leave_a_node_to_cuda():
    assert placement_fault([TRT, CUDA, CPU], [(TRT, "TRTKernel"), (CUDA, "Resize")]) == ""


def test_tensorrt_that_leaves_all_that_computes_to_cuda_was_wanted_in_vain():
    fault = placement_fault([TRT, CUDA, CPU], iter([(CUDA, "Conv"), (CPU, "Shape")]))
    assert fault == f"{TRT} wanted, fell back: all on {CUDA}"
    assert placement_fault([TRT, CUDA, CPU], [(CPU, "Reshape")]) == ""


def test_arithmetic_of_shapes_may_stay_on_the_cpu():
    assert placement_fault([CUDA, CPU], [(CUDA, "Conv"), (CPU, "Shape"), (CPU, "Concat")]) == ""


def test_a_node_that_computes_on_the_cpu_is_named():
    fault = placement_fault([CUDA, CPU], [(CUDA, "Relu"), (CPU, "Conv")])
    assert fault == "CUDAExecutionProvider wanted, fell back: Conv on CPUExecutionProvider"


def test_many_strays_are_told_in_one_short_line():
    placed = [(CPU, op) for op in ("Add", "Conv", "Gemm", "MatMul", "Mul")]
    fault = placement_fault([CUDA, CPU], placed)
    assert fault.endswith("and 2 more")
    assert "\n" not in fault


def test_a_session_on_the_cpu_does_not_stray_to_another_provider():
    assert "Conv on CUDAExecutionProvider" in placement_fault([CPU], [(CUDA, "Conv")])


@pytest.mark.parametrize("wanted", [[CPU], [CUDA, CPU]])
def test_a_runtime_that_cannot_tell_is_not_accused(wanted):
    assert placement_fault(wanted, []) == ""
