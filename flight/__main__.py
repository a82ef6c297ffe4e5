"""The `lumenode` command: finds the command and loads only what that command needs.

Each command lives beside what it runs; nothing else is imported, so `--version` answers at once
and the flight process never loads the bench.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("hil.run_command", "main_run", "fly a scenario on the bench and write its report"),
    "bench": ("hil.bench_command", "main_bench", "the bench alone, for a board on a serial line"),
    "scenarios": ("hil.run_command", "main_scenarios", "list the shipped scenarios"),
    "fetch-data": ("hil.imagery", "main_fetch_data", "fetch the default imagery once"),
    "fetch-trees": (
        "hil.training.tree_detector",
        "main_fetch_trees",
        "fetch and convert the cloud detector made of trees",
    ),
    "replay": ("hil.replay_command", "main_replay", "fly a recorded run again and compare"),
    "pass": ("hil.pass_command", "main_pass", "predict contacts, fly one of them and draw it"),
    "product": ("hil.product_command", "main_product", "print the life of a product"),
    "score": ("hil.score.score_subjects", "main_score", "score flown cores, or a whole run"),
    "terminal": (
        "hil.terminal.terminal_command",
        "main_terminal",
        "emulate a laser terminal on a serial line",
    ),
    "cfdp": ("hil.cfdp.cfdp_command", "main_cfdp", "hand products to a ground system as files"),
    "models": (
        "flight.inference.models_cli",
        "main_models",
        "verify or measure the models",
    ),
    "init": ("flight.init_command", "main_init", "write a configuration for this machine"),
    "fly": ("flight.fly_command", "main_fly", "the flight executive alone, in real time"),
    "restore": (
        "flight.restore_command",
        "main_restore",
        "put back what a flight set on this board",
    ),
    "keys": ("flight.keys", "main_keys", "make the link keys of node and ground"),
    "broker": ("flight.broker_command", "main_broker", "a small MQTT broker on this machine"),
    "send": ("flight.send_command", "main_send", "send a command to a node over MQTT"),
    "watch": ("flight.watch_command", "main_watch", "show a node's telemetry and events over MQTT"),
    "export": ("flight.export_command", "main_export", "write the interface for other systems"),
    "doctor": ("flight.doctor_command", "main_doctor", "say what works on this machine"),
}


def usage() -> str:
    """Help text of the command itself."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, _, text) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: lumenode COMMAND [ARGUMENTS]   (lumenode COMMAND --help for each)",
            "",
            "Flight software of an orbital compute node, and the bench that proves it.",
            "",
            *lines,
            "",
            "example: lumenode run first-flight --out runs/first",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code (0 good, 1 expectation failed, 2 usage, 3 bench, 130)."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage() + "\n")
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        from flight import __version__  # noqa: PLC0415  answered without loading anything else

        sys.stdout.write(f"lumenode {__version__}\n")
        return 0
    entry = COMMANDS.get(arguments[0])
    if entry is None:
        sys.stderr.write(f"lumenode: no command {arguments[0]!r}; lumenode --help lists them\n")
        return 2
    module, function, _ = entry
    return _call(module, function, arguments[1:])


def _call(module: str, function: str, arguments: list[str]) -> int:
    try:
        return _called(module, function, arguments)
    except KeyboardInterrupt:
        sys.stderr.write("lumenode: interrupted\n")
        return 130
    except ImportError as error:
        if "_native" not in str(error):
            raise
        sys.stderr.write(
            f"lumenode: the native extension {error.name} is not built: run `make setup` in the "
            "repository\n"
        )
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = error.filename or "standard output, or a file that was being written"
        sys.stderr.write(f"lumenode: {where}: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed at the end
        return 3


def _called(module: str, function: str, arguments: list[str]) -> int:
    code = int(getattr(import_module(module), function)(arguments))
    sys.stdout.flush()  # here, where what goes wrong is told
    return code


if __name__ == "__main__":
    sys.exit(main())
