import os
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from flight.downlink.file_store import FolderStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.fly_command import FlyArguments, UsageError, parse
from flight.inference.mask_product import decode_mask
from flight.telemetry.dictionary import CHANNELS, EVENT_BY_ID
from flight.wire.product_packet import ProductClass
from flight.wire.space_packet import Apid, decode_all
from flight.wire.telemetry import decode_event, decode_housekeeping

pytestmark = pytest.mark.slow  # real processes, real time

RSS_KIB_MAX = 60 * 1024
MODULES_MAX = 425
FORBIDDEN = {
    "hil", "numpy", "onnxruntime", "onnx", "torch", "scipy", "dask", "distributed", "matplotlib",
    "plotly", "starlette", "uvicorn", "rich", "pytest", "hypothesis", "argparse", "email",
    "http", "xml",
}  # fmt: skip
PATIENCE_S = 120


@dataclass
class Flight:
    """One flight that was seen from outside."""

    lines: list[str]
    rss_kib: int
    threads: int
    worker: str
    code: int
    stderr: str


def status(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


def worker_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return "".join(Path(f"/proc/{child}/cmdline").read_text() for child in children)


def start(config, *arguments):
    command = [sys.executable, "-m", "flight", "fly", "--config", str(config), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_result(data):
    """Until the worker's first answer has been written into the product store."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        if any(b"-mask.msk" in path.read_bytes() for path in data.glob("segments/*")):
            return
        time.sleep(0.2)
    raise AssertionError("no inference result came")


@pytest.fixture(scope="module")
def flown(make_board, tmp_path_factory):
    """A board whose node flew until SIGTERM, some results after it reached COMPUTE."""
    folder = tmp_path_factory.mktemp("board")
    process = start(make_board(folder))
    try:
        wait_for_result(folder / "data")
        weighed = status(process.pid, "VmRSS"), status(process.pid, "Threads")
        worker = worker_of(process.pid)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return folder, Flight(out.splitlines(), *weighed, worker, process.returncode, err)


def products(folder):
    """Product and payload of everything undelivered in a board's store."""
    store = ProductStore(
        FolderStore(folder / "data" / "segments"),
        folder / "data" / "index.sqlite",
        segment_bytes=1_048_576,
    )
    try:
        kept = [each.product for each in store.recover()]
        return [(each, store.read(each.product_id, 0, each.size_bytes)) for each in kept]
    finally:
        store.close()


def test_sigterm_ends_a_flight_in_order_with_exit_code_zero(flown):
    _, flight = flown
    assert (flight.code, flight.stderr) == (0, "")
    assert "BOOTED" in flight.lines[0]
    assert flight.lines[-1].endswith("NOTICE  SHUTDOWN: stopping: SIGTERM")
    assert any("mode IDLE to COMPUTE" in line for line in flight.lines)


def test_a_real_worker_process_beside_the_flight_process_does_the_inference(flown):
    folder, flight = flown
    assert "flight.inference.worker_main" in flight.worker
    masks = [payload for product, payload in products(folder) if product.klass is ProductClass.MASK]
    assert masks
    assert decode_mask(masks[0]).cloud.shape == (64, 64)


def test_the_store_holds_the_flight_up_to_its_very_end(flown):
    folder, _ = flown
    told = [payload for each, payload in products(folder) if each.klass is ProductClass.TELEMETRY]
    packets = decode_all(zlib.decompress(told[0]))
    events = [decode_event(packet.data) for packet in packets if packet.apid == Apid.EVENT]
    assert EVENT_BY_ID[events[0].event_id].name == "BOOTED"
    assert EVENT_BY_ID[events[-1].event_id].name == "SHUTDOWN"


def test_the_flight_process_measures_itself(flown):
    folder, flight = flown
    told = [payload for each, payload in products(folder) if each.klass is ProductClass.TELEMETRY]
    packets = decode_all(zlib.decompress(told[0]))
    rows = [decode_housekeeping(p.data) for p in packets if p.apid == Apid.HOUSEKEEPING]
    last = [row for row in rows if row.group == "host"][-1]
    names = [channel.name for channel in CHANNELS if channel.group == "host"]
    told = dict(zip(names, last.values, strict=True))
    assert told["sys.rss_mib"] == pytest.approx(flight.rss_kib / 1024, rel=0.1)
    assert told["sys.cpu_s"] > 0.0
    assert told["rate.main_period_ms"] == 1000.0


def test_the_flight_process_stays_small_with_one_thread_each_for_loop_ticks_and_store(flown):
    _, flight = flown
    assert flight.rss_kib <= RSS_KIB_MAX
    assert flight.threads == 3


def test_the_next_flight_tells_of_its_start_and_of_what_it_found(flown, lumenode):
    folder, _ = flown
    before = {product.product_id for product, _ in products(folder)}
    flight = lumenode("fly", "--config", folder / "lumenode.toml", "--for", "1")
    assert flight.returncode == 0
    boot, *told = flight.stdout.splitlines()
    assert "start 2, reset cause stopped" in boot
    found = [line for line in told if f"{len(before)} products recovered" in line]
    assert len(found) == 1
    assert flight.stdout.splitlines()[-1].endswith("stopping: time over")
    after = {product.product_id for product, _ in products(folder)}
    assert before < after


def test_ctrl_c_ends_a_flight_as_cleanly_as_sigterm(make_board, tmp_path):
    process = start(make_board(tmp_path))
    try:
        assert "BOOTED" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1].endswith("stopping: SIGINT")


def test_a_reader_of_the_journal_that_goes_away_does_not_end_the_flight(make_board, tmp_path):
    process = start(make_board(tmp_path), "--for", "2")
    try:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.stderr.close()
    assert err == ""


def test_without_keys_nothing_starts_and_one_line_says_what_to_run(make_board, tmp_path, lumenode):
    config = make_board(tmp_path)
    refused = lumenode("fly", "--config", config, "--keys", tmp_path / "none")
    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert f"lumenode keys init {tmp_path / 'none'}" in line
    assert not (tmp_path / "data").exists()


def test_a_line_that_is_not_there_is_one_line(make_board, tmp_path, lumenode):
    config = make_board(tmp_path)
    config.write_text(config.read_text() + '[board]\nhal = "link:/dev/no-such-port"\n')
    refused = lumenode("fly", "--config", config)
    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert "/dev/no-such-port" in line
    assert "no such device" in line


def test_two_flights_never_share_a_store(make_board, tmp_path, lumenode):
    config = make_board(tmp_path)
    first = start(config)
    try:
        assert "BOOTED" in first.stdout.readline()
        second = lumenode("fly", "--config", config)
        first.terminate()
        first.communicate(timeout=PATIENCE_S)
    finally:
        first.kill()
    assert first.returncode == 0
    assert second.returncode == 2
    assert "another flight process has it" in second.stderr


def test_a_killed_flight_leaves_a_store_that_flies_again(make_board, tmp_path, lumenode):
    config = make_board(tmp_path)
    first = start(config)
    try:
        wait_for_result(tmp_path / "data")
        first.kill()
        first.communicate(timeout=PATIENCE_S)
    finally:
        first.kill()
    again = lumenode("fly", "--config", config, "--for", "1")
    assert again.returncode == 0
    assert "BOOTED" in again.stdout
    assert "STORE_FAILED" not in again.stdout


CENSUS = """
import sys
from flight.fly_command import main_fly
code = main_fly(sys.argv[2:])
open(sys.argv[1], "w").write("\\n".join(sorted(sys.modules)))
sys.exit(code)
"""


def test_a_flying_process_loads_nothing_it_does_not_need(make_board, tmp_path):
    config, told = make_board(tmp_path), tmp_path / "modules.txt"
    argv = [sys.executable, "-c", CENSUS, told, "--config", config, "--for", "3"]
    subprocess.run(list(map(str, argv)), check=True, capture_output=True, timeout=PATIENCE_S)
    loaded = told.read_text().split()
    assert {name.partition(".")[0] for name in loaded} & FORBIDDEN == set()
    ours = [name for name in loaded if name.partition(".")[0] in {"flight", "hal"}]
    assert "flight.executive" in ours
    assert len(loaded) <= MODULES_MAX


def test_arguments_are_taken_apart_or_joined_by_an_equals_sign():
    assert parse([]) == FlyArguments()
    assert parse(["--config", "a.toml", "--for=2.5"]) == FlyArguments("a.toml", seconds=2.5)
    assert parse(["--keys", "k", "--data=d"]) == FlyArguments(keys="k", data="d")


@pytest.mark.parametrize(
    "argv",
    [["--for", "0"], ["--for", "nan"], ["--for", "soon"], ["--for=inf"], ["--config"],
     ["--config="], ["--speed", "1"], ["a.toml"]],
)  # fmt: skip
def test_a_command_line_that_says_nothing_sensible_is_refused(argv):
    with pytest.raises(UsageError):
        parse(argv)


def test_usage_errors_are_one_line_with_exit_code_two(lumenode):
    refused = lumenode("fly", "--speed", "1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1


def test_help_shows_an_example(lumenode):
    shown = lumenode("fly", "--help")
    assert shown.returncode == 0
    assert "example: lumenode fly" in shown.stdout


def test_a_file_that_is_not_there_is_one_line(lumenode, tmp_path):
    refused = lumenode("fly", cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    assert refused.returncode == 2
    assert refused.stderr == "lumenode fly: lumenode.toml: no such file\n"
