"""A flown node that hears no valid command for long enough is safe, and its link alive."""

import pytest
from short_flight import events, scenario

from flight.telemetry.definitions import Mode
from hil.sim_target import SimTarget

TIMEOUT_S = 600.0
CONTACT_S = 40.0
"""The first contact begins; it lasts two minutes, and the next one comes ten minutes later."""
JAMMED_S = 55


def command(at_s, command, /, **arguments):
    return {"at_s": at_s, "action": "command", "command": command, "arguments": arguments}


def flight(folder, *timeline):
    flown = scenario(
        "slow-relay",
        timeline=timeline,
        duration_s=900.0,
        ground={"relay_contact_s": 120.0},
        node={"parameters": {"command.loss_timeout_s": TIMEOUT_S}},
    )
    target = SimTarget(flown, folder)
    target.start()
    return target


def ended(target):
    target.advance(target.scenario.duration_s)
    target.finish()
    return target


def jammed(target, heard, from_s, to_s):
    """Each second noise, and what was heard before: as it was, and with one bit changed."""
    push = target.world.bench.push_rx
    for t_s in range(int(from_s), int(to_s)):
        target.advance(t_s + 0.3)
        push(bytes([t_s % 256]) * 200)
        for frame in heard[-3:]:
            push(frame)
            push(frame[:-1] + bytes([frame[-1] ^ 1]))


def overheard(target):
    """Everything that goes up from now on."""
    bench, heard = target.world.bench, []
    push = bench.push_rx

    def push_rx(frame):
        heard.append(frame)
        return push(frame)

    bench.push_rx = push_rx
    return heard


def test_without_a_valid_command_the_node_is_safe_its_link_alive_and_only_a_command_leads_out(
    tmp_path,
):
    timeline = [command(680.0, "NO_OP"), command(720.0, "SET_MODE", mode="COMPUTE")]
    target = ended(flight(tmp_path, *timeline))
    assert len(events(target, "LINK_ACQUIRED")) == 2, "reports came all the time, and fed nothing"
    (lost,) = events(target, "COMMAND_LOSS")
    assert lost.t_s == pytest.approx(TIMEOUT_S, abs=1.01)
    changes = [(e.args["new"], e.args["cause"]) for e in events(target, "MODE_CHANGED")]
    assert ("SAFE", "ground silent") in changes
    recorder = target.world.recorder
    times, mode = recorder.times(), recorder.column("mode.current")
    accepted = [e.t_s for e in events(target, "COMMAND_ACCEPTED")]
    assert len(accepted) == 2
    assert set(mode[(times > lost.t_s + 1.0) & (times < accepted[1])]) == {Mode.SAFE}
    out = changes.index(("SAFE", "ground silent"))
    assert changes[out + 1 :][:2] == [("IDLE", "command"), ("DOWNLINK", "contact")]


def test_bad_frames_repeated_frames_and_reports_never_feed_the_timer_and_a_command_does(tmp_path):
    target = flight(tmp_path, command(60.0, "NO_OP"))
    heard = overheard(target)
    target.advance(100.0)
    (accepted,) = events(target, "COMMAND_ACCEPTED")
    jammed(target, list(heard), 100, 100 + JAMMED_S)
    ended(target)
    verdicts = {e.args["verdict"] for e in events(target, "FRAME_REJECTED")}
    assert verdicts == {"bad_fecf", "replayed"}
    assert target.world.recorder.column("link.frames_rejected")[-1] >= JAMMED_S * 7
    (lost,) = events(target, "COMMAND_LOSS")
    assert lost.t_s == pytest.approx(accepted.t_s + TIMEOUT_S, abs=1.01)
    assert len(events(target, "COMMAND_ACCEPTED")) == 1
