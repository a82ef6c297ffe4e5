"""Lets the tests of this folder share the hand-made case; a referee's are there when it is."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

collect_ignore = [] if os.environ.get("LUMENODE_REFEREE") else ["test_against_referee.py"]
