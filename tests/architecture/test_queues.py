"""Every bounded queue of the node is in the table of queues, and so in telemetry."""

import ast

import pytest
from house import module_of, modules

from flight.telemetry.queue_table import QUEUES

NOT_BOUNDED = {"mqtt_outbox": "two halves, which numbers what it drops by stream"}


def queues_made(module):
    """(line, name) of each `Bounded(...)`; None for a name that is no literal."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
            if getattr(called, "id", getattr(called, "attr", "")) == "Bounded":
                first = node.args[0] if node.args else None
                yield node.lineno, getattr(first, "value", None)


def test_every_bounded_queue_is_in_the_table_and_so_in_telemetry():
    made = {
        (module.path, line): name
        for module in modules().values()
        if module.name.startswith("flight.") and module.name != "flight.base.channels"
        for line, name in queues_made(module)
    }
    assert len(made) > 5
    known = {queue.name for queue in QUEUES}
    missing = {where: name for where, name in made.items() if name not in known}
    assert missing == {}, "a row in flight/telemetry/queue_table.py, and queues.add() in the root"
    assert known - set(made.values()) == set(NOT_BOUNDED)


@pytest.mark.parametrize(
    "source",
    ['x = Bounded("a", 1, Overflow.DROP_OLDEST)', 'x = Bounded[int]("a", 1, p)',
     'x = channels.Bounded("a", 1, p)'],
)  # fmt: skip
def test_a_planted_queue_is_found(source):
    assert list(queues_made(module_of("flight/planted.py", source))) == [(1, "a")]
