"""The bridge against a real broker, the node in a process of its own as on a board."""

import asyncio
import contextlib
import subprocess
import sys

import aiomqtt
import pytest
from broker_process import Broker, free_port
from broker_reader import PATIENCE_S, reader

from flight.keys import Half, load_half
from flight.telemetry.command_table import NoOp, SetParameter
from flight.telemetry.definitions import Severity
from flight.telemetry.dictionary import DICTIONARY_HASH, GROUPS
from flight.telemetry.mqtt_messages import Topics
from flight.wire.counter_reserve import CounterReserve
from flight.wire.space_packet import Apid, SequenceCounts, encode
from flight.wire.telecommand import Telecommand, encode_telecommand
from hil.ground.ground_link import GroundLink

pytestmark = pytest.mark.slow  # real processes, real time

SCID = 0x4C4E
TOPICS = Topics("lumenode-1")
MQTT = """
[parameters]
"telemetry.period_s" = 1.0
[mqtt]
enabled = true
port = {port}
queue_messages = {queue}
reconnect_max_s = 0.4
"""


class Ground:
    """Seals commands with the ground's half of the keys."""

    def __init__(self, folder):
        keys = load_half(folder / Half.GROUND.file_name, Half.GROUND)
        reserve = CounterReserve(lambda: 0, lambda _: None)
        self.link = GroundLink(keys, scid=SCID, counters=reserve)
        self.counts = SequenceCounts()

    def frame(self, command_id, command):
        data = encode_telecommand(Telecommand(command_id, command))
        count = self.counts.take(Apid.TELECOMMAND)
        packet = encode(Apid.TELECOMMAND, count, data, time_ns=0, telecommand=True)
        (frame,) = self.link.frames_for([packet])
        return frame


@contextlib.contextmanager
def flying(config, port, queue=512):
    config.write_text(config.read_text() + MQTT.format(port=port, queue=queue))
    process = subprocess.Popen(
        [sys.executable, "-m", "flight", "fly", "--config", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def broker():
    broker = Broker(free_port())
    yield broker
    broker.thaw() if broker._process else None
    broker.kill()


def refused(count):
    return lambda told: told["online"] and told["bridge"]["refused"] >= count


def completed(command_id):
    return lambda told: (
        told["name"] == "COMMAND_COMPLETED" and told["args"]["command"] == command_id
    )


async def told_life(config, port, facts):
    ground = Ground(config.parent / "keys")
    async with reader(port) as watch:
        with flying(config, port) as node:
            facts["born"] = await watch.until(TOPICS.state)
            for group in GROUPS:
                await watch.until(TOPICS.group(group))
            send = watch.client.publish
            good = ground.frame(1, NoOp())
            await send(TOPICS.command("NO_OP"), good, 1)
            await watch.until(TOPICS.ack(1), lambda told: told["stage"] == "completed")
            await send(TOPICS.command("NO_OP"), good, 1)
            await send(TOPICS.command("NO_OP"), b'{"cmd": "NO_OP"}', 1)
            forged = bytearray(ground.frame(2, NoOp()))
            forged[-20] ^= 1
            await send(TOPICS.command("NO_OP"), bytes(forged), 1)
            facts["after"] = await watch.until(TOPICS.state, refused(3))
            set_period = SetParameter("telemetry.period_s", 2.0)
            await send(TOPICS.command("SET_PARAMETER"), ground.frame(3, set_period), 1)
            facts["set"] = await watch.until(
                TOPICS.event(Severity.NOTICE), lambda told: told["name"] == "PARAMETER_SET"
            )
            await watch.until(TOPICS.event(Severity.INFO), completed(3))
            async with reader(port) as late:
                facts["late"] = await late.until(TOPICS.state)
                facts["late_dict"] = await late.until(TOPICS.dictionary)
            node.kill()
            facts["dead"] = await watch.until(TOPICS.state, lambda told: not told["online"])
        facts["watch"] = watch


@pytest.fixture(scope="module")
def life(make_board, tmp_path_factory):
    """One life of a node, from its birth to a kill, as a subscriber and an operator saw it."""
    broker, facts = Broker(free_port()).start(), {}
    try:
        config = make_board(tmp_path_factory.mktemp("life"))
        asyncio.run(told_life(config, broker.port, facts))
    finally:
        broker.kill()
    return facts


def test_the_birth_says_who_is_there_and_with_which_dictionary(life):
    born = life["born"]
    assert (born["online"], born["node"]) == (True, "lumenode-1")
    assert born["dictionary"] == DICTIONARY_HASH
    assert born["boot"] == 1
    assert born["takes_commands"] is True


def test_who_comes_late_is_given_state_and_dictionary_at_once(life):
    assert life["late"]["online"]
    assert life["late_dict"]["hash"] == DICTIONARY_HASH


def test_a_killed_node_is_told_offline_by_the_broker(life):
    dead = life["dead"]
    assert (dead["online"], dead["cause"], dead["boot"]) == (False, "lost", 1)


def test_every_message_of_the_node_has_its_start_its_number_and_its_losses(life):
    watch = life["watch"]
    told = [message for topic, message, _ in watch.heard]
    assert {TOPICS.state, TOPICS.dictionary} < {topic for topic, _, _ in watch.heard}
    assert all({"boot", "seq", "dropped", "t_ns", "utc_s"} <= set(each) for each in told)


def test_telemetry_comes_group_by_group_and_without_a_gap(life):
    watch = life["watch"]
    told = watch.on(TOPICS.group("power"))
    assert [each["seq"] for each in told] == list(range(told[0]["seq"], told[-1]["seq"] + 1))
    assert 0.0 < told[-1]["values"]["power.soc_estimate"] <= 1.0
    assert (watch.tally.at_node, watch.tally.on_the_way) == (0, 0)


def test_a_good_command_is_done_once_and_every_step_is_acknowledged(life):
    acks = life["watch"].on(TOPICS.ack(1))
    assert [ack["stage"] for ack in acks] == ["accepted", "completed"]
    notes = [told["name"] for told in life["watch"].on(TOPICS.event(Severity.INFO))]
    assert notes.count("COMMAND_COMPLETED") == 2
    assert life["set"]["args"]["name"] == "telemetry.period_s"


def test_replayed_plain_and_forged_commands_are_refused_counted_and_not_acknowledged(life):
    counts = life["after"]["bridge"]
    assert (counts["commands"], counts["refused"]) == (4, 3)
    warned = life["watch"].on(TOPICS.event(Severity.WARNING))
    verdicts = [each["args"]["verdict"] for each in warned if each["name"] == "FRAME_REJECTED"]
    assert len(verdicts) == 3
    assert verdicts[0] == "replayed"
    assert life["watch"].on(TOPICS.ack(2)) == []


async def away_and_back(broker, config, facts):
    with flying(config, broker.port, queue=len(GROUPS)):
        await asyncio.sleep(4)
        broker.start()
        async with reader(broker.port) as watch:
            facts["first"] = await watch.until(TOPICS.state)
            facts["before"] = await watch.until(TOPICS.group("system"))
            broker.kill()
            with contextlib.suppress(aiomqtt.MqttError):
                await asyncio.sleep(3)
        broker.start()
        async with reader(broker.port) as watch:
            is_second = lambda told: told["online"] and told["bridge"]["connects"] == 2
            facts["second"] = await watch.until(TOPICS.state, is_second)
            broker.freeze()
            await asyncio.sleep(3)
            broker.thaw()
            thawed_s = facts["before"]["t_ns"] + 10 * 10**9
            facts["last"] = await watch.until(
                TOPICS.group("system"), lambda told: told["t_ns"] > thawed_s
            )


def test_a_broker_that_is_away_dead_or_frozen_costs_counted_messages_and_no_cycle(
    broker, make_board, tmp_path
):
    facts = {}
    with contextlib.suppress(aiomqtt.MqttError):
        asyncio.run(away_and_back(broker, make_board(tmp_path), facts))
    first, second = facts["first"]["bridge"], facts["second"]["bridge"]
    assert first["connects"] == 1
    assert first["dropped"] > 0
    assert first["high_water"] <= 2 * len(GROUPS) + 1
    assert second["dropped"] > first["dropped"]
    before, last = facts["before"], facts["last"]
    seconds = (last["t_ns"] - before["t_ns"]) / 1e9
    cycles = last["values"]["system.cycles"] - before["values"]["system.cycles"]
    assert seconds > 9
    assert abs(cycles - seconds) <= 1.5
    assert last["dropped"] > before["dropped"]


async def slow_subscriber(port, config, facts):
    with flying(config, port) as node:
        async with reader(port) as steady, reader(port) as slow:
            await slow.until(TOPICS.group("power"))
            await steady.until(TOPICS.group("power"), lambda told: told["seq"] >= 2)
            await slow.client.unsubscribe(TOPICS.everything)
            left = len(slow.on(TOPICS.group("power")))
            until = steady.on(TOPICS.group("power"))[-1]["seq"] + 3
            await steady.until(TOPICS.group("power"), lambda told: told["seq"] >= until)
            await slow.client.subscribe(TOPICS.everything, 1)
            await slow.until(TOPICS.group("power"), lambda told: told["seq"] > until)
            node.terminate()
            facts["gone"] = await steady.until(TOPICS.state, lambda told: not told["online"])
            _, facts["stderr"] = await asyncio.to_thread(node.communicate, timeout=PATIENCE_S)
            facts["code"] = node.returncode
        facts["steady"], facts["slow"], facts["left"] = steady, slow, left


def test_a_reader_that_missed_messages_knows_how_many_and_that_the_node_sent_them(
    broker, make_board, tmp_path
):
    facts = {}
    asyncio.run(slow_subscriber(broker.start().port, make_board(tmp_path), facts))
    steady, slow = facts["steady"], facts["slow"]
    assert steady.tally.on_the_way == 0
    topic = TOPICS.group("power")
    missed = {told["seq"] for told in steady.on(topic)} - {told["seq"] for told in slow.on(topic)}
    between = [seq for seq in missed if slow.on(topic)[0]["seq"] < seq < slow.on(topic)[-1]["seq"]]
    assert len(between) >= 2
    assert slow.tally.on_the_way >= len(between)
    assert slow.tally.at_node == 0
    assert (facts["gone"]["cause"], facts["code"], facts["stderr"]) == ("stopped", 0, "")


def test_a_flight_without_a_broker_section_loads_no_client(make_board, tmp_path):
    config = make_board(tmp_path)
    show = "import sys; from flight.fly_command import main_fly; main_fly(sys.argv[1:]); "
    show += "print('LOADED', sorted(m for m in sys.modules if 'mqtt' in m))"
    argv = [sys.executable, "-c", show, "--config", str(config), "--for", "0.5"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"
