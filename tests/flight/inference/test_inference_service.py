"""Every frame ends in exactly one counter, and no bad job, answer or budget stops the loop."""

import dataclasses
from math import nan

import numpy as np
import pytest

from flight.base.channels import Latest
from flight.base.clock import LoopClock
from flight.config import NodeConfig, load_profile
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import ProductClass
from flight.downlink.product_intake import ProductIntake
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.fdir.health_monitor import Heartbeat
from flight.inference.admission import ImagingPlan
from flight.inference.engine_trouble import FAILURES_MAX
from flight.inference.frame_source import ReplaySource
from flight.inference.inference_service import InferenceService
from flight.inference.inference_telemetry import DROP_REPORT_EVERY, InferenceCounts
from flight.inference.job import InferenceError
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import ModelRegistry
from flight.inference.result_products import DraftKind, ValueTable
from flight.link_config import StoreConfig
from flight.node_status import NodeStatus
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.event_log import EventLog
from flight.wire.counter_reserve import CounterReserve
from hal.fake_devices import FakeBench, FakeDevices
from hil.board_engine import BoardEngine, ExecutionCounts
from hil.imagery import synthetic_tiles
from hil.sim_world import board_model
from hil.simloop import SimLoop

S = 1_000_000_000
SIDE = 16
TILES = synthetic_tiles(3, 4, SIDE)
PROFILE = load_profile(NodeConfig().inference.profile)
BACKLOG = 4
LEVEL = len(PROFILE.levels)
VARIANTS = ("int8", "fp32", "small")


class Network:
    """Answers with `answer`, or fails when there is none."""

    def __init__(self):
        self.answer = None
        self.broken = 0
        self.runs = 0

    def run(self, pixels):
        self.runs += 1
        if self.broken:
            self.broken -= 1
            raise ModelError("the accelerator hangs")
        if self.answer is not None:
            return self.answer
        ramp = np.linspace(0.0, 0.6, SIDE, dtype=np.float32)
        return np.tile(ramp, (SIDE, 1))


class Overlapping:
    """An engine that takes two jobs at a time; says how many it had."""

    depth = 2

    def __init__(self, inner):
        self._inner = inner
        self.under_way = self.most = 0
        self.adopted = []

    async def run(self, job):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            return await self._inner.run(job)
        finally:
            self.under_way -= 1

    async def adopt(self, models):
        self.adopted.append((self.under_way, [model.variant for model in models]))

    async def trial(self, candidate):
        return f"{candidate.variant}: golden tile"


class Unmetered(Overlapping):
    """An engine that cannot say what a job took, as a worker's cannot."""

    depth = 1

    async def run(self, job):
        return dataclasses.replace(await super().run(job), energy_mj=None, energy_modelled=False)


class Computed(Overlapping):
    """An engine that says what it computes with."""

    depth, provider = 1, "cpu"

    async def run(self, job):
        return dataclasses.replace(await super().run(job), provider=self.provider)


class Exchange:
    """A deck whose crew has changed, of which a candidate may wait; it says what it was told."""

    def __init__(self, variant="int8", *, shipped=True):
        self.flown = ModelRegistry().load("cloud_unet", variant)
        self.crew, self.exchange, self.shipped = [self.flown], True, shipped
        self.waits_for_trial, self.refused, self.answers, self.failures = None, [], 0, 0

    @property
    def waiting(self):
        return self.exchange or self.waits_for_trial is not None

    def candidate(self):
        return self.waits_for_trial

    def refuse(self, name, reason):
        self.waits_for_trial = None
        self.refused.append((name, reason))

    def exchanged(self):
        self.exchange = False

    def mended(self):
        pass

    def answered(self):
        self.answers += 1

    def failed(self, _why):
        self.failures += 1
        return True


class Payload:
    """The service over a real engine, intake and store, on virtual time."""

    def __init__(
        self, folder, *, period_ns=S, tiles_per_frame=1, deadline_s=60.0, level=LEVEL,
        wrap=lambda engine: engine, deck=None, **planned,
    ):  # fmt: skip
        self.loop = SimLoop()
        clock = LoopClock(self.loop)
        self.network = Network()
        self.told, self.channels = [], ChannelValues()
        events = EventLog(1_024, self.told.append)
        self.store = ProductStore(
            MemoryFileStore(), folder / "index.sqlite3", segment_bytes=1 << 20
        )
        self.store.recover()
        self.queue = DownlinkQueue()
        self.intake = ProductIntake(
            store=self.store, queue=self.queue, arq=ArqSender(2, ArqConfig()),
            ids=CounterReserve(lambda: 0, lambda _: None), config=StoreConfig(),
            channels=self.channels, events=events,
        )  # fmt: skip
        self.status = Latest()
        self.devices = FakeDevices()
        self.grant(level)
        self.frames = ReplaySource(TILES, clock, period_ns)
        self.counts = InferenceCounts()
        self.board = board_model(PROFILE)
        engine = BoardEngine(
            models=[ModelRegistry().load("cloud_unet", each) for each in VARIANTS],
            make_session=lambda _data: self.network, clock=clock, profile=PROFILE,
            board=self.board, bench=FakeBench(self.devices), tiles_per_frame=tiles_per_frame,
            counts=ExecutionCounts(), memory={},
        )  # fmt: skip
        self.engine = engine = wrap(engine)
        plan = ImagingPlan(
            model_name="cloud_unet", threshold=0.5, variant=planned.pop("variant", "int8"),
            frame_deadline_ns=round(deadline_s * S), backlog_frames=BACKLOG, values=ValueTable(),
            deadlines_ns={DraftKind.MASK: 600 * S, DraftKind.QUICKLOOK: 300 * S}, **planned,
        )  # fmt: skip
        self.heart = Heartbeat()
        service = InferenceService(
            clock=clock, frames=self.frames, engine=engine, plan=plan, intake=self.intake,
            status=self.status, channels=self.channels, events=events, counts=self.counts,
            heart=self.heart, deck=deck, profile_w=lambda level: 3.0 * level,
        )  # fmt: skip
        self.serving = self.loop.create_task(service.serve())

    def grant(self, level, reason=ThrottleReason.NONE, payload_w=nan):
        self.devices.set_payload_level(level)
        now_ns = self.loop.time_ns()
        status = NodeStatus(now_ns, 0.0, Mode.COMPUTE, level, reason, True, 1.0, payload_w)
        self.status.set(status, now_ns)

    def run(self, seconds):
        self.loop.run_until_ns(self.loop.time_ns() + round(seconds * S))
        assert not self.serving.done()

    def close(self):
        self.loop.cancel_all()
        self.loop.close()
        self.store.close()

    def names(self):
        return [event.name for event in self.told]

    def value(self, name):
        return self.channels.get(f"inference.{name}")


@pytest.fixture
def make(tmp_path):
    made = []

    def payload(**options):
        made.append(Payload(tmp_path, **options))
        return made[-1]

    yield payload
    for each in made:
        each.close()


def test_the_time_computed_grows_through_a_job_and_stands_between_two(make):
    payload = make(tiles_per_frame=512)
    payload.run(0.5)
    since_ns = payload.counts.running_since_ns
    assert since_ns is not None
    now_ns = payload.loop.time_ns()
    assert payload.counts.computed_ns(now_ns) - payload.counts.busy_ns == now_ns - since_ns > 0
    payload.grant(0)
    payload.run(30.0)
    assert payload.counts.running_since_ns is None
    assert payload.counts.computed_ns(payload.loop.time_ns()) == payload.counts.busy_ns > 0


def test_a_frame_becomes_a_mask_and_a_quicklook_with_their_values_and_deadlines(make):
    payload = make()
    payload.run(0.5)
    payload.intake.finish(S)
    assert (payload.counts.jobs, payload.counts.products) == (1, 2)
    mask, picture = payload.queue.product(1), payload.queue.product(2)
    assert (mask.name, picture.name) == ("tile-00000001-mask.msk", "tile-00000001-quicklook.png")
    assert (mask.deadline_ns, picture.deadline_ns) == (600 * S, 300 * S)
    values = ValueTable()
    land = TILES[0].land
    assert mask.value_millis == (values.mask_land_millis if land else values.mask_sea_millis)
    assert payload.value("products_total") == 2
    assert 0.0 < payload.value("clear_fraction") < 1.0
    assert payload.value("energy_j") > 0.0
    assert payload.counts.busy_ns == round(payload.value("last_ms") * 1e6)


def test_a_job_that_fails_is_counted_and_told_and_the_loop_goes_on(make):
    payload = make()
    payload.network.broken = 2
    payload.run(3.5)
    assert (payload.counts.failed, payload.counts.jobs) == (2, 2)
    failed = [event for event in payload.told if event.name == "INFERENCE_FAILED"]
    assert [event.args["job"] for event in failed] == [1, 2]
    assert "the accelerator hangs" in failed[0].args["error"]
    assert payload.value("failed_total") == 2


def test_an_engine_that_runs_no_job_any_more_fails_the_service_after_a_few_and_not_for_ever(make):
    payload = make()
    payload.network.broken = 1_000
    payload.loop.run_until_ns(20 * S)
    assert payload.counts.failed == FAILURES_MAX
    assert payload.serving.done()
    failed = payload.serving.exception()
    assert isinstance(failed, InferenceError)
    assert "3 jobs in a row: " in str(failed)


def test_one_job_that_succeeds_forgives_the_failures_before_it(make):
    payload = make()
    for _ in range(4):
        payload.network.broken = FAILURES_MAX - 1
        payload.run(FAILURES_MAX)
    payload.run(2)
    assert payload.counts.failed == 4 * (FAILURES_MAX - 1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (np.full((SIDE, SIDE), 0.25, np.float32), "constant"),
        (np.full((SIDE, SIDE), np.nan, np.float32), "not_finite"),
        (np.linspace(-1, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE), "out_of_range"),
        (np.zeros((SIDE, SIDE - 1), np.float32), "wrong_shape"),
    ],
)
def test_an_implausible_answer_makes_no_product(make, answer, reason):
    payload = make()
    payload.network.answer = answer
    payload.run(0.5)
    assert (payload.counts.failed, payload.counts.jobs, payload.counts.products) == (1, 0, 0)
    assert payload.store.products == 0
    told = [event.args["reason"] for event in payload.told if event.name == "OUTPUT_IMPLAUSIBLE"]
    assert told == [reason]


def test_frames_lost_before_admission_are_counted_each_and_told_once_a_hundred(make):
    payload = make(period_ns=S // 100, level=0)
    payload.run(3.055)
    captured = 306
    assert payload.counts.dropped == captured - BACKLOG
    assert payload.value("dropped_total") == payload.counts.dropped
    told = [event.args["count"] for event in payload.told if event.name == "FRAMES_DROPPED"]
    assert told == [1 + n * DROP_REPORT_EVERY for n in range(4)]
    assert payload.network.runs == 0


def test_of_one_frame_the_picture_names_the_mask_and_waits_until_that_was_sent(make):
    payload = make()
    payload.run(0.5)
    payload.intake.finish(S)
    mask, picture = payload.queue.product(1), payload.queue.product(2)
    assert (mask.depends_on, picture.depends_on) == (None, 1)
    assert payload.queue.reprioritise(2, 10**9)
    assert payload.queue.next_segment(S, mask.size_bytes + 1).product_id == 1
    assert payload.queue.next_segment(S, 100).product_id == 2


def test_a_picture_whose_mask_found_no_room_waits_for_nothing(make, monkeypatch):
    payload = make()
    put = payload.intake._store.put

    def only_pictures(product, data):
        if product.klass is ProductClass.MASK:
            raise StoreError(StoreErrorKind.FULL, "no room")
        put(product, data)

    monkeypatch.setattr(payload.intake._store, "put", only_pictures)
    payload.run(0.5)
    payload.intake.finish(S)
    assert payload.counts.products == 1
    assert payload.queue.product(1) is None
    assert payload.queue.product(2).depends_on is None


def test_what_is_taken_up_again_is_the_backlog_of_the_newest(make):
    payload = make(period_ns=S // 2, level=0)
    payload.run(9.75)
    payload.grant(LEVEL)
    payload.run(0.2)
    assert payload.counts.jobs == 0
    payload.run(0.2)
    payload.intake.finish(10 * S)
    assert payload.counts.jobs == BACKLOG + 1
    names = {payload.queue.product(i).name[:13] for i in range(1, 1 + payload.counts.products)}
    assert names == {f"tile-{number:08d}" for number in range(17, 22)}


def test_every_frame_ends_in_one_counter(make):
    captured = 31
    slow = round(2_200 / PROFILE.tile_ms(LEVEL, "int8"))
    payload = make(period_ns=S, tiles_per_frame=slow, deadline_s=8.0)
    payload.network.broken = 1
    payload.run(30.5)
    counts = payload.counts
    assert counts.failed
    assert counts.dropped
    assert counts.jobs > 5
    under_way_or_waiting = captured - counts.jobs - counts.failed - counts.dropped - counts.refused
    assert 1 <= under_way_or_waiting <= BACKLOG + 1


def test_a_frame_that_waited_too_long_is_refused_and_never_run(make):
    payload = make(period_ns=S, deadline_s=1.5, level=0)
    payload.run(5.5)
    payload.grant(LEVEL)
    payload.run(0.7)
    assert payload.counts.refused == payload.value("refused_total") == 3
    assert payload.counts.jobs == payload.network.runs == 2


def test_nothing_runs_without_a_grant_and_a_withdrawn_one_stops_the_jobs(make):
    payload = make(period_ns=S // 2)
    payload.run(2.2)
    ran = payload.counts.jobs
    assert ran == 5
    payload.grant(0, ThrottleReason.DIE)
    payload.run(5)
    assert payload.counts.jobs == ran


def test_it_shows_a_sign_of_life_while_it_may_not_compute_and_rests_while_no_frame_comes(make):
    payload = make(level=0, period_ns=1_000 * S)
    payload.run(10)
    assert (payload.heart.beats, payload.heart.resting) == (11, False)
    payload.grant(LEVEL)
    payload.run(20)
    assert payload.heart.resting


def test_products_that_find_no_room_are_lost_and_the_job_still_counts(make):
    payload = make()
    payload.intake._cap_bytes = 10
    payload.run(0.5)
    assert (payload.counts.jobs, payload.counts.products) == (1, 0)
    assert payload.names().count("PRODUCT_EVICTED") == 2


def test_the_energy_told_is_the_energy_the_board_draws(make):
    payload = make(period_ns=5 * S, tiles_per_frame=4)
    payload.run(1)
    drawn_j = payload.board.power_w(0, S, LEVEL) - payload.board.levels[LEVEL].idle_w * (
        1 - payload.counts.busy_ns / S
    )
    assert payload.value("energy_j") == pytest.approx(drawn_j, abs=2e-3)


SLOW = round(2_200 / PROFILE.tile_ms(LEVEL, "int8"))
"""Tiles in a frame that takes 2.2 s."""


def test_an_engine_that_takes_two_jobs_has_the_next_frame_before_the_last_one_is_done(make):
    payload = make(period_ns=S // 2, tiles_per_frame=SLOW, wrap=Overlapping)
    payload.run(20)
    assert (payload.engine.under_way, payload.engine.most) == (2, 2)
    assert payload.counts.running == 2
    assert payload.counts.jobs > 20 / 2.2 + 2
    assert payload.counts.computed_ns(20 * S) == 20 * S


def test_of_two_frames_under_way_both_are_finished_when_the_payload_is_taken_away(make):
    payload = make(period_ns=S // 2, tiles_per_frame=SLOW, wrap=Overlapping)
    payload.run(5)
    begun = payload.counts.jobs + payload.counts.running
    payload.grant(0)
    payload.run(10)
    assert payload.counts.jobs == begun
    assert (payload.counts.running, payload.counts.running_since_ns) == (0, None)


def test_an_engine_that_takes_two_jobs_misses_no_frame_that_comes_while_it_finishes(make):
    payload = make(period_ns=S // 10, tiles_per_frame=SLOW // 30, wrap=Overlapping)
    payload.run(4)
    captured = 1 + 4 * 10
    assert payload.counts.jobs + payload.counts.running == captured
    assert payload.counts.dropped == 0


def test_a_model_is_exchanged_only_while_no_frame_is_under_way(make):
    deck = Exchange()
    payload = make(period_ns=S // 2, tiles_per_frame=SLOW, wrap=Overlapping, deck=deck)
    payload.run(5)
    deck.exchange = True
    payload.run(5)
    assert payload.engine.adopted == [(0, ["int8"]), (0, ["int8"])]
    assert payload.engine.under_way == 2


def test_a_model_that_is_refused_costs_no_new_worker_and_no_choice_of_the_variant(make):
    deck = Exchange("fp32")
    payload = make(
        wrap=Computed, deck=deck, candidates=("fp32", "int8"), variant="fp32", tiles_per_frame=1
    )
    payload.run(2.5)
    deck.waits_for_trial = ModelRegistry().load("cloud_unet", "small")
    payload.run(2)
    assert deck.refused == [("cloud_unet", "small: golden tile")]
    assert payload.engine.adopted == [(0, ["fp32"])]
    assert payload.names().count("VARIANT_CHOSEN") == 1


def test_a_model_that_flies_is_held_to_account_though_the_cheap_network_is_of_its_variant(make):
    deck = Exchange("small", shipped=False)
    payload = make(wrap=Computed, deck=deck, screen="small")
    payload.run(1.5)
    assert (deck.answers, deck.failures) == (payload.counts.jobs, 0)
    payload.network.broken = 1
    payload.run(1)
    assert deck.failures == 1


def test_an_engine_that_takes_two_jobs_and_runs_none_any_more_fails_the_service_too(make):
    payload = make(wrap=Overlapping)
    payload.network.broken = 1_000
    payload.loop.run_until_ns(20 * S)
    assert FAILURES_MAX <= payload.counts.failed <= FAILURES_MAX + 1
    assert isinstance(payload.serving.exception(), InferenceError)
    assert payload.counts.running == 0


def test_a_frame_on_a_board_without_a_sensor_costs_what_the_profile_says_and_is_marked(make):
    payload = make(tiles_per_frame=SLOW, wrap=Unmetered)
    payload.run(9)
    assert payload.value("last_j") == pytest.approx(
        3.0 * LEVEL * payload.value("last_ms") / 1e3, rel=1e-3
    )
    assert payload.value("energy_modelled") == 1


def test_a_frame_on_a_board_with_a_sensor_costs_what_is_measured(make):
    payload = make(tiles_per_frame=SLOW, wrap=Unmetered)
    for _ in range(12):
        payload.grant(LEVEL, payload_w=5.0)
        payload.run(1)
    assert payload.value("last_j") == pytest.approx(5.0 * payload.value("last_ms") / 1e3, rel=1e-3)
    assert payload.value("energy_modelled") == 0


CLOUDY = np.linspace(0.9, 1.0, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)


@pytest.mark.parametrize(("answer", "runs_a_frame"), [(CLOUDY, 1), (1.0 - CLOUDY, 2)])
def test_in_a_cascade_the_dear_network_runs_on_clear_tiles_alone(make, answer, runs_a_frame):
    payload = make(screen="small")
    payload.network.answer = answer
    payload.run(4.5)
    assert payload.counts.jobs == 5
    assert payload.network.runs == 4 * runs_a_frame  # four pictures, the fifth is remembered
    assert payload.value("screened_total") == (5 if runs_a_frame == 1 else 0)
    if runs_a_frame == 2:
        both_ms = PROFILE.tile_ms(LEVEL, "small") + PROFILE.tile_ms(LEVEL, "int8")
        assert payload.value("last_ms") == pytest.approx(both_ms, rel=1e-3)


def test_at_the_start_the_faster_variant_of_this_board_is_found_out_and_flies(make):
    payload = make(candidates=("fp32", "int8"), variant="fp32")
    payload.run(2.5)
    (told,) = [event for event in payload.told if event.name == "VARIANT_CHOSEN"]
    faster = min(("fp32", "int8"), key=lambda each: PROFILE.tile_ms(LEVEL, each))
    assert told.args["variant"] == faster
    assert payload.value("last_ms") == pytest.approx(PROFILE.tile_ms(LEVEL, faster), rel=1e-3)
    assert payload.counts.jobs == 3


def test_a_frame_that_is_worth_less_than_its_energy_elsewhere_is_refused(make):
    payload = make()
    payload.run(1.5)
    assert payload.counts.jobs == 2
    payload.channels.values[payload.channels.index("plan.price_energy")] = 1e9
    payload.run(3)
    assert (payload.counts.jobs, payload.counts.refused) == (2, 3)
    payload.channels.values[payload.channels.index("plan.price_energy")] = 0.0
    payload.run(2)
    assert payload.counts.jobs == 4


def test_what_networks_run_on_is_told_once_and_again_when_it_is_another(make):
    payload = make(wrap=Computed)
    payload.run(2.5)
    payload.engine.provider = "cuda"
    payload.run(2)
    told = [event.args["provider"] for event in payload.told if event.name == "PROVIDER_CHOSEN"]
    assert told == ["cpu", "cuda"]
