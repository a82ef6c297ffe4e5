"""Arguments of the commands: what is wrong with them is said in one line, exit code 2."""

from __future__ import annotations

import argparse
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """An `ArgumentParser` that leaves the usage lines to `--help`."""

    def error(self, message: str) -> NoReturn:
        """Ends the command with one line."""
        self.exit(2, f"{self.prog}: {message}\n")
