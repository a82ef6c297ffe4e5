"""The desk at which a worker answers: what it finds between two answers is not lost."""

import argparse
import os
import select

import numpy as np
import pytest

from flight.inference.job import BANDS, NO_CARE, Care
from flight.inference.tile_pixels import pixel_bytes
from flight.inference.worker_main import Desk
from flight.inference.worker_protocol import REPLY_BYTES, Reply, Request, Status, shared_bytes
from flight.wire.crc import crc32c

SIDE = 16
TILE = pixel_bytes(np.full((SIDE, SIDE, len(BANDS)), 1200, np.uint16))


class Session:
    """Answers the same; ``found`` is what its next check says."""

    def __init__(self):
        self.found = NO_CARE

    def run(self, pixels, *, twice):
        ramp = np.linspace(0.0, 0.6, pixels.shape[1], dtype=np.float32)
        return np.tile(ramp, (pixels.shape[0], 1)), Care(reruns=1, confirmed=twice)

    def check(self):
        return self.found


class Counter:
    """A desk, and who stands before it."""

    def __init__(self, *sessions):
        self.ask, self.replies = os.pipe(), os.pipe()
        self.shared = os.memfd_create("tiles")
        os.truncate(self.shared, shared_bytes(SIDE * SIDE, len(BANDS)))
        options = argparse.Namespace(
            requests=self.ask[0], replies=self.replies[1], shared=self.shared,
            capacity_px=SIDE * SIDE,
        )  # fmt: skip
        self.desk = Desk(sessions, options, BANDS)

    def care(self, model):
        os.pwrite(self.shared, TILE, 0)
        self.desk.take(Request(1, model, SIDE, SIDE, crc32c(TILE), 0.5, 1000))
        assert select.select([self.replies[0]], [], [], 10)[0]
        reply = Reply.unpack(os.read(self.replies[0], REPLY_BYTES))
        assert reply.status is Status.DONE
        return reply.care

    def close(self):
        self.desk.close()
        for fd in (*self.ask, *self.replies, self.shared):
            os.close(fd)


@pytest.fixture
def desk_of():
    made = []

    def desk(*sessions):
        made.append(Counter(*sessions))
        return made[-1]

    yield desk
    for each in made:
        each.close()


def test_what_checks_put_right_between_two_answers_is_told_once_with_the_next_of_that_network(
    desk_of,
):
    hit, sound = Session(), Session()
    counter = desk_of(hit, sound)
    hit.found = Care(repaired=1, doubt="golden tile has another answer than at the start")
    counter.desk.check()
    hit.found = Care(repaired=2, rebuilds=1, doubt="weights differ from the stored copy")
    counter.desk.check()
    assert counter.care(1) == Care(reruns=1)
    told = counter.care(0)
    assert (told.repaired, told.reruns, told.rebuilds) == (3, 1, 1)
    assert told.doubt == (
        "golden tile has another answer than at the start, weights differ from the stored copy"
    )
    assert counter.care(0) == Care(reruns=1)


def test_a_session_built_anew_for_want_of_a_look_at_its_weights_is_no_event(desk_of):
    session = Session()
    counter = desk_of(session)
    session.found = Care(rebuilds=1)
    counter.desk.check()
    assert counter.care(0) == Care(reruns=1)
