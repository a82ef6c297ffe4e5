"""The emulated processor of this folder's tests."""

import os

import pytest

from hil.emulated.recipe import EmulationError
from hil.emulated.root import missing_tools
from hil.emulated.stage import emulated_python


@pytest.fixture(scope="session")
def python():
    """The emulated interpreter; in the automatic check its absence is a failure."""
    if missing_tools() and os.environ.get("CI") != "true":
        pytest.skip(f"emulation needs {', '.join(sorted(missing_tools().values()))}")
    try:
        return emulated_python()
    except EmulationError as error:
        pytest.fail(str(error))
