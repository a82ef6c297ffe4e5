"""Clocks, sleeps, randomness, threads, sockets: each has one home, and nobody else touches it.

This is the first of the three nets under determinism; the bench's traps are the other two.
"""

import ast

import pytest
from house import imports_of, lies_under, module_of, modules, told, unused

# Modules that nobody under the rule imports; a ban on the import is a ban on each of its calls.
BANNED_MODULES = (
    "time",
    "random",
    "secrets",
    "threading",
    "_thread",
    "multiprocessing",
    "concurrent",
    "socket",
    "socketserver",
    "selectors",
    "signal",
    "subprocess",
    "uvloop",
)

# Calls banned one by one, by their full name.
BANNED_NAMES = frozenset(
    {
        "asyncio.sleep",
        "asyncio.wait",
        "asyncio.as_completed",
        "asyncio.all_tasks",
        "asyncio.to_thread",
        "asyncio.create_subprocess_exec",
        "asyncio.create_subprocess_shell",
        "asyncio.open_connection",
        "asyncio.start_server",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "os.fork",
        "os.getpid",
        "os.getrandom",
        "os.system",
        "os.times",
        "os.urandom",
        "sys.stdout",
        "uuid.uuid1",
        "uuid.uuid4",
    }
)
BANNED_BUILTINS = frozenset({"print", "input", "id", "hash", "exec", "eval", "breakpoint"})
# Of numpy's randomness only generators with a seed, and only on the bench.
SEEDED_NUMPY = frozenset({"Generator", "PCG64", "Philox", "SeedSequence", "default_rng"})
BANNED_METHODS = frozenset({"run_in_executor", "set_default_executor"})

UNDER_THE_RULE = ("flight", "hil.plant", "hil.ground", "hil.simloop")

ALLOWED = {
    ("flight.base.clock", "time"): "the only reader of a clock",
    ("flight.keys", "os.urandom"): "the one file that reads the operating system's generator",
    ("flight.inference.worker_child", "subprocess"): "starts the worker's process",
    ("flight.inference.side_thread", "threading"): "the worker makes products on a second thread",
    ("flight.inference.worker_main", "signal"): "the worker's own process, outside the fly path",
    ("flight.inference.worker_main", "time"): "the worker measures its own durations",
    ("flight.inference.models_cli", "print"): "a command prints its result",
    ("flight.__main__", "sys.stdout"): "a command prints its result",
    ("flight.base.granted_loop", "selectors"): "waits for a grant where others wait for time",
    ("flight.thermal.plan_thread", "threading"): "the planner's solver, where time is real",
    ("flight.downlink.writer_thread", "threading"): "the one thread that may wait for the medium",
    ("flight.bench_seat", "selectors"): "picks the selector with microsecond timers",
    ("flight.board_flight", "asyncio.all_tasks"): "ends what a flight left behind, in any order",
    ("flight.board_flight", "asyncio.wait"): "and waits for it, for a moment",
    ("flight.board_flight", "selectors"): "picks the selector with microsecond timers",
    ("flight.broker_command", "asyncio.start_server"): "a broker, in a process of its own",
    ("flight.broker_command", "sys.stdout"): "a command says where it listens",
    ("flight.broker_command", "socket"): "its port",
    ("flight.telemetry.broker_child_process", "subprocess"): "starts the broker's process",
    ("flight.board_flight", "signal"): "SIGTERM and Ctrl-C end a flight in order",
    ("flight.board_boot", "threading"): "a beat's sync must not hold the loop up",
    ("flight.export_command", "sys.stdout"): "a command prints its result",
    ("flight.board_boot", "os.getpid"): "a watchdog's word to another process is not ours",
    ("flight.notify_service", "socket"): "the way to the service manager",
    ("flight.doctor_command", "sys.stdout"): "a command prints its result",
    ("flight.fly_command", "sys.stdout"): "a command prints its help",
    ("flight.init_command", "sys.stdout"): "a command prints its result",
    ("flight.restore_command", "sys.stdout"): "a command prints its result",
    ("flight.keys", "sys.stdout"): "a command prints its result",
    ("flight.broker_certificates", "sys.stdout"): "a command prints its result",
    ("flight.send_command", "sys.stdout"): "a command prints its result",
    ("flight.watch_command", "sys.stdout"): "a command prints its result",
    ("hil.simloop", "threading"): "tells the loop's own thread from an intruder",
    ("hil.simloop_traps", "threading"): "patches it",
    ("hil.simloop_traps", "time"): "patches it",
    ("hil.simloop_traps", "random"): "patches it",
    ("hil.simloop_traps", "secrets"): "patches it",
}


def _qualified(node, names):
    """The full dotted name of an expression, with import aliases resolved, or None."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return None
    return ".".join([names[node.id], *reversed(parts)])


def _bound_names(tree):
    """Local name -> full name for every import of the file."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _numpy_randomness(node, names, *, seeded):
    """Draws from numpy's global state, or from a generator that nobody seeded."""
    if isinstance(node, ast.Attribute):
        full = _qualified(node, names) or ""
        base, _, last = full.rpartition(".")
        if base == "numpy.random" and not (seeded and last in SEEDED_NUMPY):
            yield "numpy.random"
    elif isinstance(node, ast.Call) and not node.args and not node.keywords:
        full = _qualified(node.func, names) or ""
        if full in {"numpy.random.default_rng", "numpy.random.PCG64", "numpy.random.SeedSequence"}:
            yield "numpy.random"


def _banned_in(node, names):
    """What is banned in one node of the tree, apart from imports of whole modules."""
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if f"{node.module}.{alias.name}" in BANNED_NAMES:
                yield f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Attribute):
        if node.attr in BANNED_METHODS:
            yield node.attr
        full = _qualified(node, names)
        if full is not None and full in BANNED_NAMES:
            yield full
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        called = node.func.id
        if called in BANNED_BUILTINS and called not in names:
            yield called


def banned_uses(module):
    """(line, what) of every banned import, name, builtin call and method of one module."""
    for line, name in imports_of(module):
        if lies_under(name, BANNED_MODULES):
            yield line, name.partition(".")[0]
    names = _bound_names(module.tree)
    on_the_bench = module.name.startswith("hil.")
    for node in ast.walk(module.tree):
        for what in _banned_in(node, names):
            yield node.lineno, what
        for what in _numpy_randomness(node, names, seeded=on_the_bench):
            yield node.lineno, what


def _under_the_rule():
    return [
        module
        for module in modules().values()
        if lies_under(module.name, UNDER_THE_RULE) or module.name.startswith("hil.simloop")
    ]


def test_nobody_touches_what_is_not_his():
    found = [
        f"{module.path}:{line}: {what}"
        for module in _under_the_rule()
        for line, what in banned_uses(module)
        if (module.name, what) not in ALLOWED
    ]
    assert found == [], told(found)


def test_no_exception_outlives_its_need():
    used = {(module.name, what) for module in _under_the_rule() for _, what in banned_uses(module)}
    assert unused(ALLOWED, used) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import time\ntime.monotonic()", "time"),
        ("import time as clock", "time"),
        ("from time import monotonic_ns as now", "time"),
        ("def f():\n    import random", "random"),
        ("from concurrent.futures import ThreadPoolExecutor", "concurrent"),
        ("import asyncio\nasync def f(): await asyncio.sleep(1)", "asyncio.sleep"),
        ("import asyncio as a\nx = a.wait", "asyncio.wait"),
        ("from asyncio import as_completed", "asyncio.as_completed"),
        ("import asyncio\nfor t in asyncio.all_tasks(): pass", "asyncio.all_tasks"),
        ("from datetime import datetime as d\nd.now()", "datetime.datetime.now"),
        ("import datetime\ndatetime.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("import os\nos.urandom(8)", "os.urandom"),
        ("from os import urandom", "os.urandom"),
        ("import uuid\nuuid.uuid4()", "uuid.uuid4"),
        ("import numpy as np\nnp.random.default_rng()", "numpy.random"),
        ("loop.run_in_executor(None, f)", "run_in_executor"),
        ("print('x')", "print"),
        ("key = hash('x')", "hash"),
    ],
)
def test_a_planted_violation_is_found(source, what):
    assert what in {found for _, found in banned_uses(module_of("flight/planted.py", source))}


@pytest.mark.parametrize(
    ("source", "flagged"),
    [
        ("import numpy as np\nnp.random.default_rng(7)", False),
        ("import numpy as np\nnp.random.Generator(np.random.PCG64(7))", False),
        ("import numpy as np\nnp.random.default_rng()", True),
        ("import numpy as np\nnp.random.normal(0, 1)", True),
        ("from numpy.random import default_rng\ndefault_rng()", True),
    ],
)
def test_the_bench_draws_from_seeded_generators_only(source, flagged):
    assert bool(list(banned_uses(module_of("hil/plant/planted.py", source)))) is flagged


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasyncio.timeout(1)",
        "from datetime import datetime\ndatetime.fromtimestamp(0)",
        "import os\nos.fsync(3)",
        "class A:\n    def sleep(self): ...\nA().sleep()",
        "from mine import hash\nhash(5)",
        "time = 5\nprint_ = time",
    ],
)
def test_what_is_allowed_is_not_flagged(source):
    assert list(banned_uses(module_of("flight/planted.py", source))) == []
