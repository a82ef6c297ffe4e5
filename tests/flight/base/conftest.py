import pytest

from hil.simloop import SimLoop


@pytest.fixture
def loop():
    """A virtual loop that is run out and closed in order."""
    loop = SimLoop()
    yield loop
    loop.cancel_all()
    loop.close()
