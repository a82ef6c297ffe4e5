"""Every queue of the node is in the table of queues, and so in telemetry; nothing else waits."""

import ast

import pytest
from house import module_of, modules

from flight.telemetry.queue_table import QUEUES

TOLD_OTHERWISE = {
    "mqtt_outbox": "two halves, which numbers what it drops by stream",
    "mqtt_inbox": "the library's own, with a gauge",
    "products": "by value, not by age",
    "life_lines": "a list that is sorted and handed on whole",
}
RAW = {
    "flight.base.channels": "what Bounded is made of",
    "flight.base.restart_policy": "times of restarts, as many as the intensity asks about",
    "flight.base.utc_keeper": "the last readings of a clock: the oldest is to go",
    "flight.downlink.arrival_forecast": "the last offers, to learn from: the oldest is to go",
    "flight.downlink.group_commit": "part of store_writes, on its way through the writer",
    "flight.downlink.queue_values": "the newest losses, remembered; each is told by an event",
    "flight.downlink.store_writer": "answers to store_writes, one each",
    "flight.downlink.writer_thread": "store_writes on their way, and their answers",
    "flight.fdir.recovery_table": "times of firings, as many as the retry budget has",
    "flight.inference.camera_source": "the tiles of one picture; the next is asked for after them",
    "flight.inference.side_thread": "in the worker: a step a job, and of those there are two",
    "flight.telemetry.client_mqtt": "mqtt_inbox",
    "flight.telemetry.event_log": "the newest events, remembered; each is told on its own way",
    "flight.telemetry.mqtt_outbox": "mqtt_outbox",
    "flight.thermal.flight_outlook": "samples of one horizon of the sky",
}
"""Modules that use what a queue is made of, and why that is none, or which one of the table."""
MADE_OF = {"deque", "Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"}


def called_as(node):
    """The name of what a call calls, without its type arguments; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return getattr(called, "id", getattr(called, "attr", ""))


def queues_made(module):
    """(line, name) of each `Bounded(...)`; None for a name that is no literal."""
    for node in ast.walk(module.tree):
        if called_as(node) == "Bounded":
            first = node.args[0] if node.args else None
            yield node.lineno, getattr(first, "value", None)


def raw_queues(module):
    """Lines where something is made, or inherited, that could be a queue without a table."""
    for node in ast.walk(module.tree):
        bases = node.bases if isinstance(node, ast.ClassDef) else []
        plain = [base.value if isinstance(base, ast.Subscript) else base for base in bases]
        names = {called_as(node)} | {getattr(p, "id", getattr(p, "attr", "")) for p in plain}
        if names & MADE_OF:
            yield node.lineno


def of_flight():
    return [module for module in modules().values() if module.name.startswith("flight.")]


def test_every_bounded_queue_is_in_the_table_and_so_in_telemetry():
    made = {
        (module.path, line): name
        for module in of_flight()
        if module.name != "flight.base.channels"
        for line, name in queues_made(module)
    }
    assert len(made) > 10
    known = {queue.name for queue in QUEUES}
    missing = {where: name for where, name in made.items() if name not in known}
    assert missing == {}, "a row in flight/telemetry/queue_table.py, and queues.add() in the root"
    assert known - set(made.values()) == set(TOLD_OTHERWISE)


def test_nothing_else_that_could_be_a_queue_waits_anywhere_without_a_reason():
    found = {module.name for module in of_flight() if any(raw_queues(module))}
    assert found - set(RAW) == set(), "use Bounded, or say in RAW why it is no queue"
    assert set(RAW) - found == set(), "is gone: take its row out"


@pytest.mark.parametrize(
    "source",
    ['x = Bounded("a", 1, Overflow.DROP_OLDEST)', 'x = Bounded[int]("a", 1, p)',
     'x = channels.Bounded("a", 1, p)'],
)  # fmt: skip
def test_a_planted_queue_is_found(source):
    assert list(queues_made(module_of("flight/planted.py", source))) == [(1, "a")]


@pytest.mark.parametrize(
    "source",
    ["x = deque()", "x: deque[int] = collections.deque(maxlen=3)", "x = asyncio.Queue[int](3)",
     "x = queue.SimpleQueue()", "class Inbox(asyncio.Queue[int]): pass"],
)  # fmt: skip
def test_a_planted_queue_without_a_table_is_found(source):
    assert list(raw_queues(module_of("flight/planted.py", source))) == [1]


def test_a_list_or_a_type_alone_is_none():
    source = "x: deque[int]\ny = []\nclass Held(list): pass"
    assert list(raw_queues(module_of("flight/planted.py", source))) == []
