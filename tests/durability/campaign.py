"""Lives that end by SIGKILL, with or without a power cut, and what each of them must find."""

import contextlib
import multiprocessing
import os
import random
from dataclasses import dataclass, field

from acknowledging_node import live

ANSWER_LIMIT_S = 60


def times(count):
    """So many crashes: as told in CI, CRASH_TIMES as many in `make soak`."""
    return count * int(os.environ.get("CRASH_TIMES", "1"))


@dataclass
class Ledger:
    """What was acknowledged over all lives, and everything that contradicts it."""

    durable: set = field(default_factory=set)
    asked: set = field(default_factory=set)
    delivered: set = field(default_factory=set)
    number: int = 0
    state: int = 0
    boots: int = 0
    lost: list = field(default_factory=list)
    twice: list = field(default_factory=list)
    damaged: list = field(default_factory=list)
    went_back: list = field(default_factory=list)

    def begin(self, told):
        """Judges what a life found against what the ones before had acknowledged."""
        found = {number for what, number in told if what == "found"}
        self.damaged += [number for what, number in told if what == "damaged"]
        self.lost += sorted(self.durable - self.asked - found)
        self.twice += sorted(self.delivered & found)
        self.durable -= set(self.lost)  # each loss is told once
        for name, least in (("state", self.state), ("boots", self.boots)):
            value = next(number for what, number in told if what == f"{name} found")
            if value < least:
                self.went_back.append((name, least, value))

    def take(self, what, number):
        """One acknowledgement of a life."""
        if what == "durable":
            self.durable.add(number)
        elif what == "delivery asked":
            self.asked.add(number)
        elif what == "delivered":
            self.delivered.add(number)
        elif what == "number":
            if number <= self.number:
                self.went_back.append(("number", self.number, number))
            self.number = number
        elif what == "state":
            self.state = number
        elif what == "boots":
            self.boots = number

    @property
    def contradictions(self):
        return self.lost + self.twice + self.damaged + self.went_back


class Campaign:
    """Starts lives over one folder, kills each somewhere, and keeps the ledger.

    Args:
        folder: what the lives share.
        cut: called with a number after each kill, where the medium forgets as well.
        options: of `Life`.
    """

    def __init__(self, folder, cut=lambda _seed: None, **options):
        self._folder, self._cut, self._options = folder, cut, options
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["acknowledging_node"])
        self._draw = random.Random(2026)
        self.ledger = Ledger()
        self.crashes = self.acknowledged = 0

    def run(self, crashes):
        """So many lives, each of which finds all that was acknowledged before, and the last."""
        for _ in range(crashes):
            self._life()
            self.crashes += 1
            self._cut(self._draw.getrandbits(32))
        self._life()
        return self.ledger

    def _life(self):
        reader, writer = self._context.Pipe(duplex=False)
        child = self._context.Process(target=live, args=(self._folder, writer, self._options))
        child.start()
        writer.close()
        found = []
        while not found or found[-1][0] != "alive":
            found.append(self._hear(reader, child))
        self.ledger.begin(found)
        for _ in range(self._draw.randrange(60)):
            self._take(self._hear(reader, child))
        child.kill()
        with contextlib.suppress(EOFError):  # what was told before it died counts as well
            while True:
                self._take(reader.recv())
        child.join()
        child.close()
        reader.close()

    def _take(self, told):
        self.acknowledged += told[0] in ("durable", "delivered", "state", "boots")
        self.ledger.take(*told)

    def _hear(self, reader, child):
        assert reader.poll(ANSWER_LIMIT_S), "the node says nothing any more"
        try:
            return reader.recv()
        except EOFError:
            child.join()
            raise AssertionError(f"the node ended by itself, exit code {child.exitcode}") from None
