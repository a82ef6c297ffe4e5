"""Two links at once, one queue and one ground: whatever goes out, dies or is told twice.

The machine of `test_downlink_properties` with a second link beside the first: frames of both at any
time, reports about both by either, links that end with frames in flight and are given up. What it
holds of one link has to hold of two.
"""

import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from test_downlink_properties import ACTIONS, VCID, Downlink, Node

from flight.downlink.product import ProductClass
from flight.wire.space_packet import Apid

RADIO = 5


class TwoLinkNode(Node):
    links = (RADIO,)


class SeveralLinks(Downlink):
    node_kind = TwoLinkNode

    @rule(count=st.integers(1, 8), urgent=st.booleans())
    def radio_sends(self, count, urgent):
        self.node.commit()
        for _ in range(count):
            frame = self.node.frame(RADIO, urgent=urgent)
            if frame is not None:
                self.down.append(frame)

    @rule(size=st.sampled_from([96, 256]))
    def ground_reports_of_the_radio(self, size):
        self.up.append((Apid.REPORT, self.ground.make_report(size, 0, vcid=RADIO)))

    @rule()
    def light_goes_out(self):
        """What it carried of emergencies is asked about; reports may come all the same."""
        self.node.question([
            product_id
            for product_id in self.node.arq.undecided_products()
            if (product := self.node.queue.product(product_id)) is not None
            and product.klass is ProductClass.EMERGENCY
        ])  # fmt: skip

    @rule()
    def radio_contact_ends(self):
        self.node.question(self.node.arqs[RADIO].give_up())

    def finish(self):
        """The radio is gone for good, and with it what it had in flight."""
        self.radio_contact_ends()
        super().finish()


SeveralLinks.TestCase.settings = settings(
    deadline=None,
    max_examples=40,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestSeveralLinks = SeveralLinks.TestCase

RADIO_ACTIONS = (
    (40, lambda m, r: m.radio_sends(r.randint(1, 8), r.random() < 0.5)),
    (25, lambda m, r: m.ground_reports_of_the_radio(r.choice((96, 256)))),
    (3, lambda m, _: m.light_goes_out()),
    (1, lambda m, _: m.radio_contact_ends()),
)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_life_over_two_links_loses_and_repeats_nothing(seed):
    stream = random.Random(seed)
    machine = SeveralLinks()
    machine.start()
    try:
        actions = (*ACTIONS, *RADIO_ACTIONS)
        weights = [weight for weight, _ in actions]
        carried = dict.fromkeys((VCID, RADIO), 0)
        for _ in range(500):
            ((_, action),) = stream.choices(actions, weights)
            before = {vcid: arq.counters.acked_frames for vcid, arq in machine.node.arqs.items()}
            node = machine.node
            action(machine, stream)
            if machine.node is node:
                for vcid, arq in node.arqs.items():
                    carried[vcid] += arq.counters.acked_frames - before[vcid]
            machine.nothing_is_freed_that_the_archive_does_not_have()
        # The walk is worth nothing unless both links carried much of it.
        assert min(carried.values()) > 20
        assert len(machine.archive.filed) > 50
        assert machine.freed
    finally:
        machine.teardown()
