"""Commands of the timeline reach the node in a contact, act, and are acknowledged."""

import json
import math

import msgspec
import numpy as np
import pytest
from short_flight import assert_nothing_lost_or_doubled, events, fly, scenario

from flight.config import ConfigError
from hil.ground.operator import Fate
from hil.scenario import TimelineEntry, load_scenario
from hil.sim_target import SimTarget


def command(at_s, command_name, /, **arguments):
    return {
        "at_s": at_s,
        "action": "command",
        "command": command_name,
        "arguments": arguments,
    }


def fates(target):
    operator, found = target.world.ground.operator, []
    while (sent := operator.fate(len(found) + 1)) is not None:
        found.append((sent.name, sent.fate, sent.reason.name))
    return found


@pytest.fixture(scope="module")
def commanded(tmp_path_factory):
    """One flight with every command in it; ids count up in order of the timeline."""
    timeline = [
        command(10.0, "NO_OP"),
        command(10.0, "SET_PARAMETER", name="telemetry.period_s", value=2.0),
        command(70.0, "DELETE_PRODUCT", product_id=999_999),
        command(90.0, "DISABLE_INFERENCE"),
        command(130.0, "ENABLE_INFERENCE"),
        command(150.0, "SET_MODE", mode="IDLE"),
        command(190.0, "SET_MODE", mode="COMPUTE"),
        command(200.0, "REPRIORITISE", product_id=999_999, value_millis=5),
    ]
    return fly(scenario("slow-relay", timeline=timeline), tmp_path_factory.mktemp("commanded"))


def test_every_command_is_acknowledged_with_what_became_of_it(commanded):
    assert fates(commanded) == [
        ("NO_OP", Fate.COMPLETED, "NONE"),
        ("SET_PARAMETER", Fate.COMPLETED, "NONE"),
        ("DELETE_PRODUCT", Fate.FAILED, "NOT_FOUND"),
        ("DISABLE_INFERENCE", Fate.COMPLETED, "NONE"),
        ("ENABLE_INFERENCE", Fate.COMPLETED, "NONE"),
        ("SET_MODE", Fate.COMPLETED, "NONE"),
        ("SET_MODE", Fate.COMPLETED, "NONE"),
        ("REPRIORITISE", Fate.FAILED, "NOT_FOUND"),
    ]
    assert commanded.world.ground.operator.pending == {}
    recorder = commanded.world.recorder
    assert np.nanmax(recorder.column("command.accepted_total")) == 8
    assert len(events(commanded, "COMMAND_ACCEPTED")) == 8
    assert_nothing_lost_or_doubled(commanded)


def test_nothing_is_sent_before_the_link_is_there(commanded):
    acquired_s = events(commanded, "LINK_ACQUIRED")[0].t_s
    first = events(commanded, "COMMAND_ACCEPTED")[0]
    assert first.t_s >= acquired_s - 0.2
    assert events(commanded, "PARAMETER_SET")[0].args == {
        "name": "telemetry.period_s",
        "value": 2.0,
    }


def test_the_payload_rests_while_inference_is_forbidden(commanded):
    recorder = commanded.world.recorder
    times, power_w = recorder.times(), recorder.column("truth.payload_w")
    busy = power_w > commanded.world.profile.idle_w(1)
    assert busy[(times > 60) & (times < 90)].any()
    assert not busy[(times > 96) & (times < 129)].any()
    assert busy[(times > 140) & (times < 150)].any()


def test_the_node_idles_when_told_and_works_again_when_told(commanded):
    recorder = commanded.world.recorder
    times, level = recorder.times(), recorder.column("governor.level")
    assert (level[(times > 156) & (times < 189)] == 0).all()
    assert (level[times > 205] > 0).all()


def received_s(folder, product_id):
    for path in (folder / "products").glob("*.json"):
        entry = json.loads(path.read_bytes())
        if entry["product_id"] == product_id:
            return entry["received_ns"] / 1e9
    return math.inf


def test_a_product_is_deleted_on_command_and_another_one_goes_first(tmp_path):
    slow = scenario(
        "slow-relay",
        ground={"relay_first_s": 150.0, "relay_contact_s": 140.0},
        node={"link": {"frame_bytes": 2048}},
    )
    plain = SimTarget(slow, tmp_path / "plain")
    plain.start()
    plain.advance(160.0)
    made = plain.world.ledger._made
    # Pictures only: a mask is down within the second that a command takes to act.
    waiting = [i for i in made if i in plain.node.queue and made[i].size_bytes > 5_000]
    plain.advance(slow.duration_s)
    plain.finish()
    waiting.sort(key=lambda i: received_s(tmp_path / "plain", i))
    gone, first = waiting[-2:]
    orders = [
        command(160.0, "DELETE_PRODUCT", product_id=gone),
        command(160.0, "REPRIORITISE", product_id=first, value_millis=900_000_000),
    ]
    timeline = tuple(msgspec.convert(order, TimelineEntry) for order in orders)
    target = fly(msgspec.structs.replace(slow, timeline=timeline), tmp_path / "told")
    assert [fate for _, fate, _ in fates(target)] == [Fate.COMPLETED] * 2
    assert target.world.archive.digest(gone) is None
    assert [e.args["product"] for e in events(target, "PRODUCT_DELETED")] == [gone]
    others = [i for i in waiting if i not in (gone, first)]
    came_s = received_s(tmp_path / "told", first)
    assert received_s(tmp_path / "plain", first) == max(
        received_s(tmp_path / "plain", i) for i in [*others, first]
    )
    assert sum(received_s(tmp_path / "told", i) > came_s for i in others) > len(others) / 4
    assert_nothing_lost_or_doubled(target)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('command = "WARP"', "timeline[0].command = 'WARP': no such command; allowed is one of"),
        ('command = "SET_MODE"', "timeline[0].arguments: SET_MODE: Object missing"),
        (
            'command = "SET_MODE"\narguments = { mode = "DOWNLINK" }',
            "timeline[0].arguments.mode = 'DOWNLINK': SET_MODE: Invalid enum value 'DOWNLINK'",
        ),
        (
            'command = "NO_OP"\narguments = { loud = true }',
            "timeline[0].arguments.loud = True: NO_OP has no such argument; allowed: none",
        ),
        (
            'command = "SET_PARAMETER"\narguments = { name = "power.soc_floor", value = 2.0 }',
            "timeline[0].arguments.value = 2: power.soc_floor allows 0.2 to 0.9",
        ),
        (
            'command = "SET_PARAMETER"\narguments = { name = "power.sock", value = 2.0 }',
            "timeline[0].arguments.name = 'power.sock': no such parameter; allowed is one of",
        ),
        (
            'command = "DELETE_PRODUCT"\narguments = { product_id = 0 }',
            "timeline[0].arguments.product_id = 0: DELETE_PRODUCT: Expected `int` >= 1",
        ),
    ],
)
def test_a_command_that_could_not_be_obeyed_is_refused_before_it_flies(tmp_path, entry, said):
    path = tmp_path / "wrong.toml"
    path.write_text(
        'name = "wrong"\ntitle = "t"\nduration_s = 60.0\nepoch_utc = 2026-06-21T00:00:00Z\n'
        f'[[timeline]]\nat_s = 1.0\naction = "command"\n{entry}\n'
    )
    with pytest.raises(ConfigError) as refused:
        load_scenario(str(path))
    assert str(refused.value).startswith(f"{path}: {said}")
    assert "\n" not in str(refused.value)
