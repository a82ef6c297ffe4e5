"""The node starts again in flight: it knows why, how often, and when enough is enough."""

import errno
import random

from short_flight import events, scenario

from flight.boot_record import LOOP_STARTS
from flight.downlink.file_store import FolderStore
from flight.telemetry.dictionary import RESET_LABELS
from flight.wire.product_packet import ProductClass
from flight.wire.telecommand import CommandReason
from hal.sample import ResetCause
from hil.ground.operator import Fate
from hil.sim_target import SimTarget


def command(at_s, command_name, /, **arguments):
    return {"at_s": at_s, "action": "command", "command": command_name, "arguments": arguments}


def flown(folder, *, timeline=(), cuts_s=(), cause=ResetCause.POWER_CUT, before_end=None):
    """The relay contact with the power cut at these times; what the node told last is kept."""
    what = scenario("slow-relay", timeline=timeline)
    target = SimTarget(what, folder)
    target.start()
    for at_s in cuts_s:
        target.advance(at_s)
        target._reset_node(cause)
    target.advance(what.duration_s)
    if before_end is not None:
        before_end(target)
    target.finish()
    return target


def causes(target):
    return [event.args["cause"] for event in events(target, "BOOTED")]


def test_a_power_cut_a_command_and_the_watchdog_are_told_apart(tmp_path):
    (tmp_path / "cut").mkdir()
    cut = flown(tmp_path / "cut", cuts_s=[90.0])
    assert causes(cut) == ["power_cut", "power_cut"]
    (tmp_path / "dog").mkdir()
    dog = flown(tmp_path / "dog", cuts_s=[90.0], cause=ResetCause.WATCHDOG)
    assert causes(dog) == ["power_cut", "watchdog"]
    (tmp_path / "command").mkdir()
    twice = [command(80.0, "RESET_NODE"), command(84.0, "RESET_NODE")]
    told = flown(tmp_path / "command", timeline=twice)
    assert causes(told) == ["power_cut", "commanded"]
    assert [cause for _, cause in told.resets] == ["commanded"]


def test_the_answer_to_a_commanded_reset_leaves_before_the_node_does(tmp_path):
    twice = [command(80.0, "RESET_NODE"), command(84.0, "RESET_NODE")]
    target = flown(tmp_path, timeline=twice)
    operator = target.world.ground.operator
    assert [operator.fate(n).fate for n in (1, 2)] == [Fate.COMPLETED, Fate.COMPLETED]
    assert operator.fate(1).reason is CommandReason.ARMED
    (entry,) = events(target, "RESET_ENTRY")[-1:]
    assert (entry.args["boot"], entry.args["how"]) == (2, "planned")


def test_causes_and_counts_are_in_telemetry(tmp_path):
    seen = {}

    def look(target):
        for name in ("reset_cause", "boot_count"):
            seen[name] = target.value(f"mode.{name}")
        for name in ("planned", "unplanned_in_a_row", "power_cut", "watchdog"):
            seen[name] = target.value(f"reset.{name}")

    flown(tmp_path, cuts_s=[90.0, 140.0], before_end=look)
    assert seen == {
        "reset_cause": RESET_LABELS.index("power_cut"), "boot_count": 3, "planned": 0,
        "unplanned_in_a_row": 2, "power_cut": 3, "watchdog": 0,
    }  # fmt: skip


def test_a_boot_loop_ends_in_safe_mode_on_defaults_and_the_ground_is_still_answered(tmp_path):
    seen = {}

    def look(target):
        seen["defaults"] = target.node.parameters.differing()

    cuts_s = [100.0 + 15.0 * n for n in range(LOOP_STARTS)]
    timeline = [
        command(70.0, "SET_PARAMETER", name="telemetry.period_s", value=2.0),
        command(cuts_s[-1] + 40.0, "NO_OP"),
    ]
    target = flown(tmp_path, timeline=timeline, cuts_s=cuts_s, before_end=look)
    (loop,) = events(target, "BOOT_LOOP")
    assert loop.args["count"] == LOOP_STARTS
    last = events(target, "BOOTED")[-1].t_s
    assert [e.args["new"] for e in events(target, "MODE_CHANGED") if e.t_s >= last] == ["SAFE"]
    assert seen["defaults"] == {}, "what the ground had set is not in force"
    operator = target.world.ground.operator
    assert operator.fate(2).fate is Fate.COMPLETED, "the link is alive"


def test_a_damaged_record_is_told_and_starts_nothing_wrong(tmp_path):
    what = scenario("slow-relay")
    target = SimTarget(what, tmp_path)
    target.start()
    target.advance(90.0)
    target.boot.slots = [b"\xa5" * 64, b"\x5a" * 64]
    target._reset_node(ResetCause.POWER_CUT)
    target.advance(what.duration_s)
    boot_count = target.value("mode.boot_count")
    target.finish()
    assert [e.args["what"] for e in events(target, "BOOT_RECORD_DAMAGED")] == [
        "slots of the record: 2"
    ]
    assert boot_count == 2, "the store counts, too"


def test_a_product_in_a_sector_that_cannot_be_read_is_told_and_the_node_flies_on(
    tmp_path, monkeypatch
):
    what, pread = scenario("slow-relay", ground={"stations": ()}), FolderStore.pread
    target = SimTarget(what, tmp_path)
    target.start()
    target.advance(60.0)
    intake, payload = target.node._downlink.intake, random.Random(7).randbytes(25_000)
    assert intake.submit(
        name="lost.bin", klass=ProductClass.RAW, payload=payload, value_millis=10**9,
        deadline_ns=None, now_ns=60 * 10**9,
    )  # fmt: skip
    intake.finish(60 * 10**9)
    target.advance(90.0)

    def read(files, handle, length, offset):
        octets = pread(files, handle, length, offset)
        if payload[14_000:14_010] in octets:
            raise OSError(errno.EIO, "bad sector")
        return octets

    monkeypatch.setattr(FolderStore, "pread", read)
    for part in tmp_path.rglob("index.sqlite*"):
        part.unlink()  # the log alone tells what there is
    target._reset_node(ResetCause.POWER_CUT)
    target.advance(150.0)
    target.finish()
    told = [e.args for e in events(target, "PRODUCT_EVICTED")]
    assert [each["reason"] for each in told] == ["damaged on the store"]
    assert causes(target) == ["power_cut", "power_cut"]
    (recovered,) = events(target, "STORE_RECOVERED")
    assert recovered.args["torn"] == 1
