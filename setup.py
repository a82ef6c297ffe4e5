"""The C extensions: the HAL that flies, and the bench's plant kernels."""

from setuptools import setup

setup(
    cffi_modules=["hal/build.py:ffibuilder", "hil/plant/build.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
