"""The processor's feature level in the record of a run."""

import pytest

from hil.cpu_level import cpu_level

V2 = "cx16 popcnt sse4_1 sse4_2 ssse3"
V3 = f"{V2} avx2 bmi1 bmi2 f16c fma movbe"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("flags", "level"),
    [("fpu sse2", "x86-64-v1"), (V2, "x86-64-v2"), (V3, "x86-64-v3"), (V4, "x86-64-v4")],
)
def test_an_intel_level_needs_all_its_features(tmp_path, flags, level):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor : 0\nflags\t\t: {flags}\n")
    assert cpu_level(path, "x86_64") == level


def test_an_arm_board_names_the_features_that_choose_kernels(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("Features\t: fp asimd crc32 asimddp fphp\n")
    assert cpu_level(path, "aarch64") == "aarch64+asimddp+fphp"


def test_a_machine_that_tells_nothing_is_named_all_the_same(tmp_path):
    assert cpu_level(tmp_path / "absent", "riscv64") == "riscv64"
