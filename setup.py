"""The C side: the HAL that flies, the bench's plant kernels, and the guard's program."""

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

BUILD_FILES = ("hal/build.py", "hil/plant/build.py")
HERE = Path(__file__).resolve().parent


class BuildWithGuard(build_ext):
    """Links `lumenode-guard`, a process of its own, beside the extension that starts it."""

    def run(self) -> None:
        super().run()
        build = runpy.run_path(str(HERE / "hal" / "build.py"))
        objects = self.compiler.compile(
            list(build["GUARD_SOURCES"]),
            output_dir=str(Path(self.build_temp) / "guard"),
            include_dirs=list(build["INCLUDES"]),
            extra_preargs=list(build["COMPILE_ARGS"]),
        )
        self.compiler.link_executable(
            objects,
            build["GUARD_PROGRAM"],
            output_dir=str(Path(self.get_ext_fullpath("hal._native")).parent),
            extra_preargs=["-pthread"],
        )


setup(
    cmdclass={"build_ext": BuildWithGuard},
    cffi_modules=[f"{name}:ffibuilder" for name in BUILD_FILES if (HERE / name).exists()],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
