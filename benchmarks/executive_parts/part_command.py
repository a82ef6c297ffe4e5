"""Part "command" of executive.py: a command into the bench link, its answer out of it.

Whole stack, both ways: the line's octets, link session, frame, authentication, at-most-once,
dispatch, events, answer, sealed frame. The node's folder is on this machine's disk: a command after
a while of silence waits for its syncs, and has a row of its own. What else runs on the machine
takes from it, so the best of several rounds is held to the limit of the median, and the median of
all stands beside it.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import boards
import reference
from bench_end import BenchEnd

ROUNDS, COUNT, APART_S = 5, 500, 0.002
BURST, OUTSTANDING = 5_000, 12
P50_MS_MAX, P99_MS_MAX = 0.5, 10.0
WITH_MODEL = 2.0
NAMES = (f"p50, best of {ROUNDS} rounds", "p50", "p99", "most")
STALLED_S = 10.0
LONELY, SILENCE_S = 9, 1.5
SETTLE_S = 3.0


async def one_at_a_time(end):
    """(best round's p50, p50, p99, most) in ms."""
    took_ms = []
    for _ in range(ROUNDS * COUNT):
        command, gone_ns = end.send()
        took_ms.append((await end.answer(command, STALLED_S) - gone_ns) / 1e6)
        await asyncio.sleep(APART_S)
    best = min(statistics.median(took_ms[at : at + COUNT]) for at in range(0, len(took_ms), COUNT))
    cuts = statistics.quantiles(took_ms, n=100, method="inclusive")
    return best, cuts[49], cuts[98], max(took_ms)


async def after_silence(end):
    """Median of commands far apart, in ms."""
    took_ms = []
    for _ in range(LONELY):
        await asyncio.sleep(SILENCE_S)
        command, gone_ns = end.send()
        took_ms.append((await end.answer(command, STALLED_S) - gone_ns) / 1e6)
    return statistics.median(took_ms)


async def burst(end):
    """(answered, seconds): so many commands, never more than so many without an answer."""
    begun, waiting, sent = time.monotonic(), set(), 0
    while sent < BURST or waiting:
        while sent < BURST and len(waiting) < OUTSTANDING:
            waiting.add(end.send()[0])
            sent += 1
        if not await end.any_of(waiting, STALLED_S):
            break
        waiting -= end.answers.keys()
    return sent - len(waiting), time.monotonic() - begun


async def measured(end):
    await end.in_contact()
    await asyncio.sleep(SETTLE_S)
    trips, many, lonely = await one_at_a_time(end), await burst(end), await after_silence(end)
    return trips, many, lonely, await end.told("queues.verification_dropped")


def rows():
    """Without a model and while one runs."""
    for busy in (False, True):
        what = "while a model runs" if busy else "no model runs"
        with tempfile.TemporaryDirectory() as folder, BenchEnd(Path(folder), busy=busy) as end:
            before_s, begun = boards.model_s(end.pid), time.monotonic()
            trips, (answered, took_s), lonely, dropped = end.loop.run_until_complete(measured(end))
            share = (boards.model_s(end.pid) - before_s) / (time.monotonic() - begun)
            completed = end.completed
        scale = WITH_MODEL if busy else 1.0
        limits = (scale * P50_MS_MAX, None, scale * P99_MS_MAX, None)
        for name, value, limit in zip(NAMES, trips, limits, strict=True):
            yield f"command in to answer out, {what}: {name}", value, "ms", limit
        yield f"after {SILENCE_S} s of silence, {what}: p50", lonely, "ms", None
        yield f"burst of {BURST} with {OUTSTANDING} outstanding, {what}", BURST / took_s, "/s", None
        yield "  answers lost", BURST - answered, "", 0
        yield "  answers that the node itself dropped", int(dropped), "", None
        yield "  commands not completed", ROUNDS * COUNT + LONELY + answered - completed, "", 0
        if busy:
            yield "  processor time of the model's process", 100 * share, "% of a core", None
    yield "reference F' Ref, command to completion: p50", reference.COMMAND_P50_MS, "ms", None
    yield "reference F' Ref, command to completion: p99", reference.COMMAND_P99_MS, "ms", None
    yield "reference F' Ref, command to completion: most", reference.COMMAND_MAX_MS, "ms", None
    yield "reference F' Ref, commands with 2-12 outstanding", reference.COMMANDS_PER_S, "/s", None
    yield "reference F' Ref, completions lost of 5000", reference.BURST_LOST_OF_5000, "", None
    yield "reference, 40 lines of asyncio", reference.COMMAND_PLAIN_PYTHON, "ms", None
