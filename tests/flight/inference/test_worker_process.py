import asyncio
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flight.base.clock import LoopClock
from flight.inference.job import InferenceError, InferenceFailure, Job, Result
from flight.inference.model_registry import ModelRegistry
from flight.inference.onnx_weights import weights_of
from flight.inference.screening import screen
from flight.inference.session_ort import PROVIDERS, OrtSession, laid_out, runtime_providers
from flight.inference.tile_pixels import pixel_bytes, pixels_of
from flight.inference.worker_process import WorkerEngine
from flight.inference.worker_protocol import (
    REPLY_BYTES,
    REQUEST_BYTES,
    Reply,
    Request,
    Status,
    shared_bytes,
)
from flight.wire.crc import crc32c
from hil.imagery import synthetic_tiles

pytestmark = pytest.mark.slow

TILES = synthetic_tiles(seed=3, n=2, size=64)
SECOND_NS = 1_000_000_000
THRESHOLD, CLOUD_MAX = 0.45, 1000


def models():
    return [ModelRegistry().load("cloud_unet", v) for v in ("fp32", "int8")]


@contextlib.asynccontextmanager
async def engine_of(**options):
    engine = WorkerEngine(models(), LoopClock(), **options)
    try:
        yield engine
    finally:
        engine.close()


def job_of(number=1, tile=TILES[0], variant="fp32", **more):
    cut = {"threshold": THRESHOLD, "quicklook_cloud_permille_max": CLOUD_MAX}
    return Job(number, tile, "cloud_unet", variant, **cut, **more)


def answer_here(model, tile):
    pixels = pixels_of(tile)
    return screen(pixels, OrtSession(model.data).run(pixels), THRESHOLD, CLOUD_MAX)


def gone(pid):
    return not Path(f"/proc/{pid}").exists()


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


async def failure_of(engine, job):
    with pytest.raises(InferenceError) as caught:
        await engine.run(job)
    return caught.value.kind


def test_the_worker_answers_what_a_session_here_answers():
    async def scenario():
        async with engine_of() as engine:
            for model in models():
                for number, tile in enumerate(TILES):
                    result = await engine.run(job_of(number, tile, model.variant))
                    assert isinstance(result, Result)
                    assert result.screening == answer_here(model, tile)
                    assert result.screening.quicklook_png is not None
                    assert (result.job_id, result.model_hash) == (number, model.sha256)
                    assert result.started_ns <= result.finished_ns
                    assert not result.modelled
                    assert result.provider == "cpu"
            assert (engine.counters.done, engine.counters.starts) == (4, 1)

    asyncio.run(scenario())


def test_a_hung_worker_is_killed_at_the_deadline_and_replaced():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            engine._timeout_ns = SECOND_NS // 5
            hung = engine.worker_pid
            os.kill(hung, signal.SIGSTOP)
            assert await failure_of(engine, job_of(2)) is InferenceFailure.TIMEOUT
            assert gone(hung)
            patient = dataclasses.replace(job_of(3), tile=TILES[1])
            engine._timeout_ns = 60 * SECOND_NS
            result = await engine.run(patient)
            assert result.screening == answer_here(models()[0], TILES[1])
            assert engine.counters.restarts == 1
            assert engine.counters.failures[InferenceFailure.TIMEOUT] == 1

    asyncio.run(scenario())


def test_a_job_is_killed_at_its_own_deadline_too():
    async def scenario():
        async with engine_of(timeout_ns=60 * SECOND_NS) as engine:
            await engine.run(job_of())
            os.kill(engine.worker_pid, signal.SIGSTOP)
            late = job_of(2, deadline_ns=LoopClock().now_ns() + SECOND_NS // 10)
            assert await failure_of(engine, late) is InferenceFailure.TIMEOUT

    asyncio.run(scenario())


def test_a_job_past_its_deadline_is_refused_and_costs_no_worker():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            stale = job_of(2, deadline_ns=LoopClock().now_ns() - 1)
            assert await failure_of(engine, stale) is InferenceFailure.TIMEOUT
            assert (await engine.run(job_of(3))).job_id == 3
            assert engine.counters.starts == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("idle", [True, False])
def test_a_crashed_worker_costs_one_job_at_most(idle):
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            pid = engine.worker_pid
            if idle:
                os.kill(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGSTOP)
                asyncio.get_running_loop().call_later(0.05, os.kill, pid, signal.SIGKILL)
            assert await failure_of(engine, job_of(2)) is InferenceFailure.WORKER_DIED
            assert (await engine.run(job_of(3))).job_id == 3
            assert engine.counters.restarts == 1

    asyncio.run(scenario())


def test_the_loop_goes_on_while_the_worker_works():
    async def scenario():
        async with engine_of() as engine:
            beats = 0

            async def beat():
                nonlocal beats
                while True:
                    beats += 1
                    await asyncio.sleep(0.001)

            beating = asyncio.create_task(beat())
            await engine.run(job_of())  # starts the worker: an import of a second
            beating.cancel()
            assert beats > 20

    asyncio.run(scenario())


def test_a_cancelled_job_leaves_no_reader_of_the_shared_tile():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            pid = engine.worker_pid
            os.kill(pid, signal.SIGSTOP)
            running = asyncio.create_task(engine.run(job_of(2)))
            await asyncio.sleep(0.05)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert gone(pid)
            assert engine.counters.cancelled == 1
            assert (await engine.run(job_of(3, TILES[1]))).job_id == 3

    asyncio.run(scenario())


def test_jobs_the_engine_cannot_run_are_refused_by_name():
    async def scenario():
        async with engine_of(capacity_px=64 * 64) as engine:
            big = synthetic_tiles(seed=1, n=1, size=68)[0]
            pixels = pixels_of(TILES[0])
            odd = dataclasses.replace(
                TILES[0], pixels=pixel_bytes(pixels[:63, :63]), height_px=63, width_px=63
            )
            flat = dataclasses.replace(TILES[0], pixels=pixel_bytes(pixels[..., :5]))
            thin = dataclasses.replace(
                TILES[0], pixels=bytes(12 * 5000), height_px=5000, width_px=1
            )
            assert await failure_of(engine, job_of(tile=big)) is InferenceFailure.TILE_TOO_LARGE
            assert await failure_of(engine, job_of(variant="x")) is InferenceFailure.UNKNOWN_MODEL
            assert await failure_of(engine, job_of(tile=flat)) is InferenceFailure.MODEL_ERROR
            engine._capacity_px = 512 * 512
            assert await failure_of(engine, job_of(tile=thin)) is InferenceFailure.TILE_TOO_LARGE
            engine._capacity_px = 64 * 64
            assert engine.counters.starts == 0
            assert await failure_of(engine, job_of(tile=odd)) is InferenceFailure.MODEL_ERROR
            assert (await engine.run(job_of())).job_id == 1
            assert engine.counters.starts == 1

    asyncio.run(scenario())


def test_a_closed_engine_refuses_and_leaves_no_process_and_no_descriptor():
    async def scenario():
        before = open_descriptors()
        engine = WorkerEngine(models(), LoopClock())
        await engine.run(job_of())
        pid = engine.worker_pid
        engine.close()
        engine.close()
        assert gone(pid)
        assert open_descriptors() == before
        assert await failure_of(engine, job_of()) is InferenceFailure.CLOSED

    asyncio.run(scenario())


def test_a_network_the_runtime_cannot_load_is_an_error_and_no_hang():
    async def scenario():
        broken = dataclasses.replace(models()[0], data=b"no network")
        engine = WorkerEngine([broken], LoopClock())
        try:
            assert await failure_of(engine, job_of()) is InferenceFailure.MODEL_ERROR
            assert engine.worker_pid is None
        finally:
            engine.close()

    asyncio.run(scenario())


def test_a_provider_the_runtime_does_not_have_fails_the_job_and_falls_back_to_nothing():
    async def scenario():
        async with engine_of(provider="cuda") as engine:
            if "CUDAExecutionProvider" in runtime_providers()[1]:
                assert (await engine.run(job_of())).duration_ms > 0.0
            else:
                with pytest.raises(InferenceError, match="CUDAExecutionProvider is not in"):
                    await engine.run(job_of())

    asyncio.run(scenario())


def copies_in_memory(pid, wanted):
    """Addresses of every copy of some octets in the writable memory of a process."""
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            low, high = (int(each, 16) for each in span.split("-"))
            if not rights.startswith("rw") or high - low > 1 << 28:
                continue
            try:
                memory.seek(low)
                held = memory.read(high - low)
            except OSError:
                continue
            at = held.find(wanted)
            while at >= 0:
                found.append(low + at)
                at = held.find(wanted, at + 1)
    return found


def flip(pid, address, mask=0x40):
    with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
        memory.seek(address)
        octet = memory.read(1)[0]
        memory.seek(address)
        memory.write(bytes([octet ^ mask]))


def largest_weight(network):
    return bytes(max(weights_of(network), key=lambda each: len(each.data)).data)


def laid_out_here(model):
    """The network as the worker's runtime lays it out on this machine."""
    return laid_out(model.data, threads=1, providers=PROVIDERS["cpu"])


def test_a_bit_flipped_anywhere_in_the_running_worker_changes_no_answer():
    async def scenario():
        async with engine_of() as engine:
            clean = (await engine.run(job_of())).screening
            pid = engine.worker_pid
            places = copies_in_memory(pid, largest_weight(laid_out_here(models()[0])))
            assert len(places) >= 2  # the live ones, and the stored copy
            repaired = 0
            for place in places:
                flip(pid, place + 1003)
                result = await engine.run(job_of())
                assert result.screening == clean
                repaired += result.care.repaired
                if result.care.repaired == 0:
                    flip(pid, place + 1003)
            assert repaired == 1
            assert engine.counters.restarts == 0

    asyncio.run(scenario())


def test_when_live_weights_and_their_stored_copy_are_both_hit_the_session_is_built_again():
    async def scenario():
        async with engine_of() as engine:
            clean = (await engine.run(job_of())).screening
            pid = engine.worker_pid
            for place in copies_in_memory(pid, largest_weight(laid_out_here(models()[0]))):
                flip(pid, place + 1003)
            result = await engine.run(job_of())
            assert result.screening == clean
            assert (result.care.rebuilds, result.care.restarts) == (1, 0)
            assert engine.worker_pid == pid

    asyncio.run(scenario())


def test_when_the_network_that_came_on_board_is_hit_as_well_a_new_worker_answers():
    async def scenario():
        async with engine_of() as engine:
            clean = (await engine.run(job_of())).screening
            pid = engine.worker_pid
            for network in (laid_out_here(models()[0]), models()[0].data):
                for place in copies_in_memory(pid, largest_weight(network)):
                    flip(pid, place + 1003)
            result = await engine.run(job_of())
            assert result.screening == clean
            assert result.care.restarts == 1
            assert engine.worker_pid != pid

    asyncio.run(scenario())


def test_a_model_never_trusted_again_is_refused_after_its_second_stored_copy_was_tried():
    async def scenario():
        asked = []

        def other_copy(model):
            asked.append(model.variant)
            return model

        async with engine_of(other_copy=other_copy) as engine:
            await engine.run(job_of())
            engine._exchange, exchange = untrusted, engine._exchange
            assert await failure_of(engine, job_of(2)) is InferenceFailure.UNTRUSTED
            assert asked == ["fp32"]
            engine._exchange = exchange
            assert await failure_of(engine, job_of(3)) is InferenceFailure.UNTRUSTED
            assert (await engine.run(job_of(4, variant="int8"))).job_id == 4
            await engine.adopt(models())
            assert (await engine.run(job_of(5))).job_id == 5

    async def untrusted(child, seq, request, due_ns):
        if not request:
            return await child.answer(seq, request, LoopClock(), due_ns)
        return Reply(seq, Status.UNTRUSTED, text="golden tile")

    asyncio.run(scenario())


async def both(engine, *jobs):
    """What became of jobs that were under way together: results and kinds of failure."""
    ended = await asyncio.gather(*map(engine.run, jobs), return_exceptions=True)
    return [each.kind if isinstance(each, InferenceError) else each.screening for each in ended]


def test_two_jobs_under_way_get_an_answer_each_and_a_third_waits_its_turn():
    async def scenario():
        async with engine_of() as engine:
            assert engine.depth == 2
            tiles = [TILES[number % 2] for number in range(7)]
            found = await both(engine, *(job_of(n, tile) for n, tile in enumerate(tiles)))
            assert found == [answer_here(models()[0], tile) for tile in tiles]
            assert (engine.counters.done, engine.counters.starts) == (7, 1)

    asyncio.run(scenario())


def test_of_two_jobs_under_way_a_crash_costs_the_first_and_the_other_is_run_again():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            pid = engine.worker_pid
            os.kill(pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(0.05, os.kill, pid, signal.SIGKILL)
            found = await both(engine, job_of(2), job_of(3, TILES[1]))
            assert found == [InferenceFailure.WORKER_DIED, answer_here(models()[0], TILES[1])]
            assert engine.counters.restarts == 1

    asyncio.run(scenario())


def test_of_two_jobs_under_way_a_hang_costs_the_first_and_the_other_is_run_again():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            hung = engine.worker_pid
            os.kill(hung, signal.SIGSTOP)
            first = job_of(2, deadline_ns=LoopClock().now_ns() + SECOND_NS // 5)
            found = await both(engine, first, job_of(3, TILES[1]))
            assert found == [InferenceFailure.TIMEOUT, answer_here(models()[0], TILES[1])]
            assert gone(hung)
            assert engine.counters.restarts == 1

    asyncio.run(scenario())


def test_of_two_jobs_under_way_a_cancelled_one_takes_the_other_along_to_the_next_worker():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            os.kill(engine.worker_pid, signal.SIGSTOP)
            tasks = [asyncio.create_task(engine.run(job_of(n))) for n in (2, 3)]
            await asyncio.sleep(0.05)
            tasks[0].cancel()
            assert (await tasks[1]).screening == answer_here(models()[0], TILES[0])
            assert (engine.counters.cancelled, engine.counters.restarts) == (1, 1)

    asyncio.run(scenario())


def test_two_answers_of_one_worker_that_is_not_trusted_are_one_step_up_the_ladder():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            distrusted, both_there = engine.worker_pid, asyncio.Barrier(2)

            async def exchange(child, seq, request, due_ns):
                reply = await child.answer(seq, request, LoopClock(), due_ns)
                if child.pid != distrusted:
                    return reply
                await both_there.wait()
                return Reply(seq, Status.UNTRUSTED, text="golden tile")

            engine._exchange = exchange
            found = await both(engine, job_of(2), job_of(3, TILES[1]))
            assert found == [answer_here(models()[0], tile) for tile in TILES]
            assert engine.counters.restarts == 1

    asyncio.run(scenario())


def test_models_are_exchanged_only_once_the_jobs_under_way_are_done():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            running = [asyncio.create_task(engine.run(job_of(n))) for n in (2, 3)]
            await asyncio.sleep(0)
            await engine.adopt(models()[1:])
            assert all(each.done() for each in running)
            assert await failure_of(engine, job_of(4)) is InferenceFailure.UNKNOWN_MODEL

    asyncio.run(scenario())


def test_an_engine_that_is_closed_while_its_worker_starts_leaves_none_behind():
    async def scenario():
        engine = WorkerEngine(models(), LoopClock())
        running = asyncio.create_task(engine.run(job_of()))
        await asyncio.sleep(0.05)
        pid = engine._last.pid
        engine.close()
        with pytest.raises(InferenceError, match="closed"):
            await running
        assert gone(pid)

    asyncio.run(scenario())


def test_a_tile_that_changed_since_the_camera_is_not_computed():
    async def scenario():
        async with engine_of() as engine:
            pixels = bytearray(TILES[0].pixels)
            crc = crc32c(pixels)
            pixels[77] ^= 4
            damaged = dataclasses.replace(TILES[0], pixels=bytes(pixels), crc32c=crc)
            assert await failure_of(engine, job_of(1, damaged)) is InferenceFailure.CORRUPT_RESULT
            whole = dataclasses.replace(TILES[0], crc32c=crc)
            assert (await engine.run(job_of(2, whole))).job_id == 2

    asyncio.run(scenario())


def test_a_job_that_is_worth_it_is_confirmed_by_a_second_session():
    async def scenario():
        async with engine_of() as engine:
            once = await engine.run(job_of())
            twice = await engine.run(job_of(2, twice=True))
            assert (once.care.confirmed, twice.care.confirmed) == (False, True)
            assert once.screening == twice.screening

    asyncio.run(scenario())


def test_a_trial_takes_a_sound_model_and_says_what_is_wrong_with_another_while_jobs_go_on():
    async def scenario():
        async with engine_of() as engine:
            await engine.run(job_of())
            pid = engine.worker_pid
            sound, broken = models()[1], dataclasses.replace(models()[0], data=b"no network")
            taken, refused, result = await asyncio.gather(
                engine.trial(sound), engine.trial(broken), engine.run(job_of(2))
            )
            assert taken == ""
            assert "SHA-256" in refused
            assert result.job_id == 2
            assert engine.worker_pid == pid

    asyncio.run(scenario())


def test_signals_on_the_pipes_have_one_size_and_come_back():
    request = Request(2**32 - 1, 1, 512, 4096, 0xDEADBEEF, 0.1, 1000)
    assert Request.unpack(request.pack()) == request
    assert len(request.pack()) == REQUEST_BYTES
    reply = Reply(5, Status.MODEL_ERROR, 1, 2, 3, "é" * 200)
    assert len(reply.pack()) == REPLY_BYTES <= 512  # POSIX: the least atomic pipe write
    assert Reply.unpack(reply.pack()).text == "é" * 80


def test_a_worker_whose_flight_has_gone_ends_without_a_word():
    shared = os.memfd_create("tile")
    os.ftruncate(shared, shared_bytes(32 * 32))
    asked, ask = os.pipe()
    told, tell = os.pipe()
    os.close(told)
    fds = ("--shared", shared, "--requests", asked, "--replies", tell)
    done = subprocess.run(
        [sys.executable, "-m", "flight.inference.worker_main", "--capacity-px", "1024",
         *map(str, fds)],
        pass_fds=(shared, asked, tell), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    for fd in (shared, asked, ask, tell):
        os.close(fd)
    assert (done.returncode, done.stderr) == (0, "")
