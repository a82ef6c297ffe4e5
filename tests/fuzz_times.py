"""How hard tests with foreign octets try: as told in CI, FUZZ_TIMES as hard in `make fuzz`."""

import os


def examples(count):
    """Examples of one property."""
    return count * int(os.environ.get("FUZZ_TIMES", "1"))
