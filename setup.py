"""The C extensions: the HAL that flies, and the bench's plant kernels."""

from pathlib import Path

from setuptools import setup

BUILD_FILES = ("hal/build.py", "hil/plant/build.py")
HERE = Path(__file__).resolve().parent

setup(
    cffi_modules=[f"{name}:ffibuilder" for name in BUILD_FILES if (HERE / name).exists()],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
