"""The broker that docs/deploy ships: certificates for all, an access list, and a node that returns.

Real Mosquitto, certificates of `lumenode keys tls`, the node in a process of its own.
"""

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
import sys
from types import SimpleNamespace

import aiomqtt
import pytest
from broker_reader import PATIENCE_S, TOPICS, reader
from mosquitto_process import Mosquitto, make_keys, mosquitto_program

from flight.board_config import MqttSection
from flight.telemetry.client_mqtt import try_broker

pytestmark = [pytest.mark.slow, pytest.mark.broker]  # real processes, real time

READABLE = [f"lumenode/1/+/{kind}" for kind in ("state", "dict", "tm/#", "evt/#", "ack/#", "rpt/#")]
NODE = """
[parameters]
"telemetry.period_s" = 1.0
"""
MQTT = """
[mqtt]
enabled = true
host = "{host}"
port = {port}
reconnect_max_s = 0.4
ca_file = "{keys}/ca.crt"
"""
OWN = """cert_file = "{keys}/{name}.crt"
key_file = "{keys}/{name}.key"
"""


def tls(keys, name, authority=None):
    context = ssl.create_default_context(cafile=(authority or keys) / "ca.crt")
    if name:
        context.load_cert_chain(keys / f"{name}.crt", keys / f"{name}.key")
    return {"tls_context": context}


@pytest.fixture(scope="module")
def lab(make_board, tmp_path_factory):
    """A broker, a node that flies, and a folder of keys that nobody there has signed."""
    mosquitto_program()
    folder = tmp_path_factory.mktemp("lab")
    keys = make_keys(folder / "tls", "lumenode-1", "lumenode-2", "operator", "viewer")
    broker = Mosquitto(folder, keys).start()
    made = SimpleNamespace(
        keys=keys, broker=broker, port=broker.port, foreign=make_keys(folder / "foreign")
    )
    made.board = make_board(folder)
    made.bare = made.board.read_text()

    def config(name, keys=keys, *, host="127.0.0.1", own=True):
        text = MQTT.format(host=host, port=broker.port, keys=keys)
        text += OWN.format(name=name, keys=keys) if own else ""
        path = folder / f"{name}-{keys.name}-{host}-{own}.toml"
        path.write_text(made.bare + NODE + text)
        return path

    made.config = config
    node = subprocess.Popen(
        [sys.executable, "-m", "flight", "fly", "--config", str(config("lumenode-1"))],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield made
    finally:
        node.kill()
        node.wait(PATIENCE_S)
        broker.thaw()
        broker.kill()


def as_viewer(lab):
    return reader(lab.port, *READABLE, **tls(lab.keys, "viewer"))


async def report(lab, lumenode):
    async with as_viewer(lab) as viewer:
        words = ("send", "DUMP_PARAMETERS", "--config", lab.config("operator"))
        sent = await asyncio.to_thread(lumenode, *words)
        return sent, await viewer.until(TOPICS.parameters)


async def charge(lab):
    async with as_viewer(lab) as viewer:
        estimate = lambda told: told["values"]["power.soc_estimate"]
        return estimate(await viewer.until(TOPICS.group("power"), estimate))


def test_over_mutual_tls_telemetry_comes_and_a_command_is_done_and_answered(lab, lumenode):
    assert 0.0 < asyncio.run(charge(lab)) <= 1.0
    sent = lumenode("send", "NO_OP", "--config", lab.config("operator"), "--json")
    assert (sent.returncode, sent.stderr) == (0, "")
    assert json.loads(sent.stdout)["stage"] == "completed"
    sent, told = asyncio.run(report(lab, lumenode))
    assert (sent.returncode, sent.stderr) == (0, "")
    assert told["values"]["telemetry.period_s"]["value"] == 1.0
    watched = lumenode("watch", "--for", "3", "--config", lab.config("viewer"))
    assert (watched.returncode, watched.stderr) == (0, "")
    assert "lumenode-1 online, " in watched.stdout


@pytest.mark.parametrize(
    ("keys", "own", "why"),
    [("keys", False, "certificate required"), ("foreign", True, "certificate verify failed")],
)
def test_without_a_certificate_or_with_a_foreign_one_nobody_gets_in_and_is_told_why(
    lab, lumenode, keys, own, why
):
    config = lab.config("viewer", getattr(lab, keys), own=own)
    refused = lumenode("watch", "--for", "5", "--config", config)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"lumenode watch: broker 127.0.0.1:{lab.port}: ")
    assert len(refused.stderr.splitlines()) == 1
    assert why in refused.stderr.lower().replace("_", " ")


def said_to(lab, keys=None, name="", authority=None):
    """What comes of one try to connect; "" when the broker lets it in."""
    files = {"ca_file": str((authority or keys) / "ca.crt")} if keys else {}
    if name:
        files |= {"cert_file": str(keys / f"{name}.crt"), "key_file": str(keys / f"{name}.key")}
    return asyncio.run(try_broker(MqttSection(enabled=True, port=lab.port, **files)))


def test_a_certificate_of_another_authority_or_no_tls_at_all_is_refused_by_the_broker(lab):
    assert said_to(lab, lab.keys, "viewer") == ""
    assert "unknown ca" in said_to(lab, lab.foreign, "operator", authority=lab.keys)
    assert "certificate required" in said_to(lab, lab.keys)
    assert re.search("hung up|reset", said_to(lab))


def test_a_broker_under_another_name_than_its_certificate_s_is_told_nothing(lab, lumenode):
    sent = lumenode("send", "NO_OP", "--config", lab.config("operator", host="localhost"))
    assert (sent.returncode, sent.stdout) == (1, "")
    assert "not valid for 'localhost'" in sent.stderr


def test_a_node_that_the_broker_refuses_flies_on_and_says_why(lab, lumenode):
    config = lab.config("operator", lab.keys, own=False)
    flown = lumenode("fly", "--config", config, "--data", lab.keys.parent / "refused", "--for", 4)
    assert flown.returncode == 0, flown.stderr
    (lost,) = [line for line in flown.stdout.splitlines() if "BROKER_LOST" in line]
    assert "certificate" in lost.lower()


async def trespass(lab, lumenode):
    """What each end is let do, by the messages that reach those who may read them."""
    ends = {name: tls(lab.keys, name) for name in ("lumenode-2", "operator", "viewer")}
    async with contextlib.AsyncExitStack() as stack:
        viewer = await stack.enter_async_context(as_viewer(lab))
        before = await viewer.until(TOPICS.state, lambda told: told["online"])
        other, operator, mere = [
            await stack.enter_async_context(aiomqtt.Client("127.0.0.1", lab.port, **access))
            for access in ends.values()
        ]
        await other.subscribe(TOPICS.commands, 1)
        await other.subscribe("lumenode/1/lumenode-2/cmd/#", 1)
        await mere.publish(TOPICS.command("NO_OP"), b"of a viewer", 1)
        await mere.publish(TOPICS.state, b'{"online": false}', 1)
        await other.publish(TOPICS.state, b'{"online": false}', 1)
        await other.publish(TOPICS.command("NO_OP"), b"of another node", 1)
        await operator.publish(TOPICS.command("NO_OP"), b"of an operator", 1)
        await operator.publish("lumenode/1/lumenode-2/cmd/NO_OP", b"for the other", 1)
        async with asyncio.timeout(PATIENCE_S):
            heard = await anext(aiter(other.messages))
        commands = before["bridge"]["commands"] + 1
        counted = await viewer.until(
            TOPICS.state, lambda told: told["online"] and told["bridge"]["commands"] >= commands
        )
        return before, counted, heard, viewer.on(TOPICS.state)


def test_the_access_list_lets_nobody_command_but_operators_and_no_node_speak_for_another(
    lab, lumenode
):
    before, counted, heard, states = asyncio.run(trespass(lab, lumenode))
    assert counted["bridge"]["commands"] == before["bridge"]["commands"] + 1
    assert counted["bridge"]["refused"] == before["bridge"]["refused"] + 1
    assert heard.payload == b"for the other"
    assert all(told["online"] for told in states)


async def broken_off(lab):
    async with as_viewer(lab) as viewer:
        before = await viewer.until(TOPICS.state, lambda told: told["online"])
        lab.broker.kill()
        with contextlib.suppress(aiomqtt.MqttError):
            await asyncio.sleep(2)
    lab.broker.start()
    async with as_viewer(lab) as viewer:
        after = await viewer.until(
            TOPICS.state,
            lambda told: (
                told["online"] and told["bridge"]["connects"] > before["bridge"]["connects"]
            ),
        )
        return before, after


def test_the_node_comes_back_by_itself_to_a_broker_that_was_killed(lab, lumenode):
    before, after = asyncio.run(broken_off(lab))
    assert after["boot"] == before["boot"]
    sent = lumenode("send", "NO_OP", "--config", lab.config("operator"))
    assert (sent.returncode, sent.stderr) == (0, "")
