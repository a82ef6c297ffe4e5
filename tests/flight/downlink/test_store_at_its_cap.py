"""Store, queue and intake together, as a board composes them, with more products than room."""

import os
from collections import Counter

import pytest

from flight.composition.downlink import queue_config
from flight.config import LinkConfig, NodeConfig
from flight.data_folder import INDEX, SEGMENTS, STORE_SPARE, claim_folder, usage_of
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.file_store import FolderStore
from flight.downlink.product import ProductClass
from flight.downlink.product_intake import ProductIntake
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.queue_entry import OrderConfig
from flight.link_config import StoreConfig
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from flight.wire.counter_reserve import CounterReserve

S = 1_000_000_000
SIZE = 40_000
CONFIG = NodeConfig(
    store=StoreConfig(cap_bytes=1_600_000, segment_bytes=200_000, commit_period_s=1.0),
    link=LinkConfig(queue_bytes=50_000_000),
)


class Board:
    def __init__(self, folder):
        self.folder = folder
        self.claim = claim_folder(folder)
        self.store = ProductStore(
            FolderStore(folder / SEGMENTS),
            folder / INDEX,
            segment_bytes=CONFIG.store.segment_bytes,
            capacity_bytes=STORE_SPARE * CONFIG.store.cap_bytes,
            reserve_bytes=CONFIG.store.segment_bytes,
        )
        self.store.recover()
        self.queue = DownlinkQueue(queue_config(CONFIG))
        self.channels, self.told = ChannelValues(), []
        self.intake = ProductIntake(
            store=self.store,
            queue=self.queue,
            arq=ArqSender(2, ArqConfig()),
            ids=CounterReserve(lambda: 0, lambda _: None),
            config=CONFIG.store,
            channels=self.channels,
            events=EventLog(4_096, self.told.append),
        )

    def fly(self, values):
        """One product a second; the most that store and folder ever held."""
        most_payload = most_folder = 0
        for second, value in enumerate(values, 1):
            self.intake.submit(
                name=f"value-{value}", klass=ProductClass.MASK, payload=os.urandom(SIZE),
                value_millis=value, deadline_ns=None, now_ns=second * S,
            )  # fmt: skip
            self.intake.step(second * S)
            most_payload = max(most_payload, self.store.payload_bytes)
            most_folder = max(most_folder, usage_of(self.folder, CONFIG.store).used_bytes)
        return most_payload, most_folder

    def close(self):
        self.store.close()
        os.close(self.claim)


@pytest.fixture
def board(tmp_path):
    made = Board(tmp_path / "data")
    yield made
    made.close()


def test_payload_and_folder_stay_below_their_caps_however_many_products_come(board):
    most_payload, most_folder = board.fly([100 + n % 7 for n in range(150)])
    usage = usage_of(board.folder, CONFIG.store)
    assert 0.7 * CONFIG.store.cap_bytes < most_payload <= CONFIG.store.cap_bytes
    assert most_folder <= usage.cap_bytes


def test_at_the_cap_the_least_valuable_go_and_the_newest_are_not_refused_for_it(board):
    values = [1_000 if n % 3 == 0 else 10 for n in range(90)]
    board.fly(values)
    kept = Counter(
        product.value_millis
        for product_id in range(1, 91)
        if (product := board.queue.product(product_id)) is not None
    )
    assert kept[1_000] == 30
    assert kept[10] > 0
    assert kept.total() * SIZE <= queue_config(CONFIG).budget_bytes


def test_every_product_that_gave_way_is_counted_and_told(board):
    board.fly([100] * 120)
    lost = board.channels.get("queue.dropped_total")
    assert lost + len(board.queue) == 120
    told = [event.args["count"] for event in board.told if event.name == "EVENTS_SUPPRESSED"]
    evicted = [event for event in board.told if event.name == "PRODUCT_EVICTED"]
    assert lost >= len(evicted) + sum(told) > 0
    assert "STORE_FAILED" not in {event.name for event in board.told}


def test_the_half_life_of_the_configuration_ranks_the_queue():
    assert queue_config(NodeConfig()).order == OrderConfig()
    config = NodeConfig(link=LinkConfig(half_life_s=3600.0))
    assert queue_config(config).order == OrderConfig(half_life_ns=3_600_000_000_000)


def test_a_queue_that_may_be_larger_than_the_store_is_bounded_by_it():
    assert queue_config(CONFIG).budget_bytes == 1_400_000
    assert queue_config(NodeConfig()).budget_bytes == LinkConfig().queue_bytes
