"""What a start is told as."""

from flight.boot_record import Ended
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.pass_plan import ContactKind, PassPlan
from flight.downlink.product_store_sqlite import ProductStore
from flight.start_up import (
    RESET_COMMANDED,
    board_cause,
    count_start,
    ended_as,
    load_experience,
    save_experience,
)
from flight.telemetry.event_log import EventLog
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import SENSOR_ALL, FailingCall, SensorBit


def test_starts_are_counted_over_resets_by_the_node_itself(tmp_path):
    files, counts = MemoryFileStore(), []
    for _ in range(3):
        store = ProductStore(files, tmp_path / "index.sqlite", segment_bytes=65_536)
        store.recover()
        counts.append(count_start(store))
        store.close()
    assert counts == [1, 2, 3]


def test_starts_that_never_came_as_far_as_the_store_count_too(tmp_path):
    store = ProductStore(MemoryFileStore(), tmp_path / "index.sqlite", segment_bytes=65_536)
    store.recover()
    assert [count_start(store, least=4), count_start(store, least=2)] == [4, 5]
    store.close()


def test_the_words_that_end_a_flight_are_an_end_on_the_record():
    assert ended_as("SIGTERM", lost=False) is Ended.ORDERED
    assert ended_as(RESET_COMMANDED, lost=False) is Ended.COMMANDED
    assert ended_as("service lost", lost=True) is Ended.FATAL


def test_the_board_names_the_cause_of_its_last_reset():
    devices = FakeDevices()
    FakeBench(devices).reset(2)
    assert board_cause(devices, EventLog(8), 0) == 2


def test_a_cause_that_is_not_valid_or_not_known_is_no_cause():
    devices = FakeDevices()
    bench = FakeBench(devices)
    bench.write_sensors(reset_cause=250)
    assert board_cause(devices, EventLog(8), 0) is None
    bench.write_sensors(reset_cause=1, valid=SENSOR_ALL & ~SensorBit.RESET_CAUSE)
    assert board_cause(devices, EventLog(8), 0) is None


def test_a_board_that_gives_nothing_stops_no_start_and_is_told():
    devices, told = FakeDevices(), []
    FakeBench(devices).fail(int(FailingCall.SNAPSHOT))
    assert board_cause(devices, EventLog(8, told.append), 0) is None
    assert [event.name for event in told] == ["HAL_FAILED"]


def test_what_contacts_carried_outlives_a_reset(tmp_path):
    files, plan = MemoryFileStore(), PassPlan()
    for share in (0.2, 0.4):
        plan.experience_of(ContactKind.OGS).note(share)
    store = ProductStore(files, tmp_path / "index.sqlite", segment_bytes=65_536)
    store.recover()
    save_experience(store, plan, EventLog(8), 0)
    store.close()
    again, learned = (
        ProductStore(files, tmp_path / "index.sqlite", segment_bytes=65_536),
        PassPlan(),
    )
    again.recover()
    load_experience(again, learned)
    assert learned.experience() == plan.experience()
    assert learned.experience_of(ContactKind.OGS).phase_share(3) < 0.6
    again.close()
