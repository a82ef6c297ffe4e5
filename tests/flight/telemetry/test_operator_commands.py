"""`lumenode send` and `lumenode watch` as an operator uses them, with a real broker between."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from broker_process import Broker, free_port

from flight.config import ConfigError
from flight.operator_cli import COUNTER_FILE, GroundCounter
from flight.send_command import command_of
from flight.telemetry.command_table import NoOp, Reprioritise, SetMode, SetParameter
from flight.telemetry.dictionary import CHANNELS, COMMANDS
from flight.watch_command import main_watch

pytestmark = pytest.mark.slow  # real processes, real time


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["NO_OP"], NoOp()),
        (["SET_MODE", "mode=SAFE"], SetMode("SAFE")),
        (["SET_PARAMETER", "name=power.soc_floor", "value=0.5"],
         SetParameter("power.soc_floor", 0.5)),
        (["REPRIORITISE", "product_id=7", "value_millis=250"], Reprioritise(7, 250)),
    ],
)  # fmt: skip
def test_arguments_are_read_by_the_dictionary(words, command):
    assert command_of(words[0], words[1:]) == command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NOOP"], "no command 'NOOP'; known: NO_OP"),
        (["NO_OP", "x=1"], "NO_OP: no argument 'x'; allowed: none"),
        (["SET_MODE", "SAFE"], "write NAME=VALUE"),
        (["SET_MODE", "mode=FAST"], "SET_MODE: "),
        (["SET_MODE", "type=NO_OP"], "no argument 'type'"),
        (["DELETE_PRODUCT", "product_id=0"], "DELETE_PRODUCT: "),
        (["DELETE_PRODUCT"], "DELETE_PRODUCT: "),
    ],
)
def test_what_the_dictionary_does_not_know_is_not_sent(words, said):
    with pytest.raises(ConfigError) as caught:
        command_of(words[0], words[1:])
    assert said in str(caught.value)


def test_a_number_of_the_uplink_key_is_never_used_twice(tmp_path):
    taken = []
    for _ in range(3):
        counter = GroundCounter(tmp_path)
        taken += [counter.reserve.take(), counter.reserve.take()]
        with pytest.raises(ConfigError, match="another process"):
            GroundCounter(tmp_path)
        counter.close()
    assert taken == [1, 2, 3, 4, 5, 6]
    (tmp_path / COUNTER_FILE).write_text("what\n")
    with pytest.raises(ConfigError, match="new keys"):
        GroundCounter(tmp_path)


@pytest.fixture(scope="module")
def bench(make_board, tmp_path_factory):
    """A flying node, its broker, and what an operator's commands need to find them."""
    folder = tmp_path_factory.mktemp("bench")
    broker, config = Broker(free_port()).start(), make_board(folder)
    text = '[parameters]\n"telemetry.period_s" = 1.0\n[mqtt]\nenabled = true\n'
    config.write_text(config.read_text() + text + f"port = {broker.port}\n")
    node = subprocess.Popen(
        [sys.executable, "-m", "flight", "fly", "--config", str(config)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wanted = ["BROKER_CONNECTED", "mode BOOT to"]
    while wanted:
        line = node.stdout.readline()
        assert line, "the node ended"
        wanted = [words for words in wanted if words not in line]
    try:
        yield SimpleNamespace(config=config, keys=folder / "keys")
    finally:
        node.kill()
        node.communicate(timeout=30)
        broker.kill()


def test_a_command_is_sent_done_and_answered(bench, lumenode):
    sent = lumenode("send", "SET_MODE", "mode=SAFE", "--config", bench.config, "--json")
    assert (sent.returncode, sent.stderr) == (0, "")
    assert json.loads(sent.stdout)["stage"] == "completed"
    again = lumenode("send", "NO_OP", "--config", bench.config)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.endswith(" completed\n")


def test_what_the_node_rejects_is_told_with_its_reason_and_exit_code_one(bench, lumenode):
    words = ("SET_PARAMETER", "name=power.soc_floor", "value=7")
    refused = lumenode("send", *words, "--config", bench.config)
    assert (refused.returncode, refused.stderr) == (1, "")
    assert refused.stdout.endswith("rejected: out_of_range\n")


NIGHT = """
name = "night"
version = 4
in_safe = true

[[step]]
command = "SET_PARAMETER"
arguments = { name = "telemetry.period_s", value = 1.0 }

[[step]]
after_s = 2
command = "NO_OP"
"""


def test_a_sequence_is_uploaded_in_pieces_put_on_board_started_and_its_end_awaited(
    bench, lumenode, tmp_path
):
    file = tmp_path / "night.toml"
    file.write_text(NIGHT)
    sent = lumenode("send", "sequence", file, "--config", bench.config)
    assert sent.returncode == 0, sent.stderr
    assert sent.stderr.startswith("sequence night version 4: ")
    assert sent.stdout.startswith("LOAD_ACTIVATE ")
    started = lumenode("send", "SEQUENCE_START", "name=night", "--config", bench.config, "--json")
    stages = [json.loads(line)["stage"] for line in started.stdout.splitlines()]
    assert (started.returncode, stages) == (0, ["started", "completed"])


def test_a_dangerous_command_is_armed_by_the_first_step_and_done_by_the_second(
    bench, lumenode, tmp_path
):
    file = tmp_path / "night.toml"
    file.write_text(NIGHT.replace("version = 4", "version = 5"))
    assert lumenode("send", "sequence", file, "--config", bench.config).returncode == 0
    words = ("LOAD_ROLL_BACK", "kind=sequence", "--config", bench.config)
    armed = lumenode("send", *words)
    assert (armed.returncode, armed.stdout.endswith(" completed: armed\n")) == (1, True)
    assert armed.stderr == (
        "lumenode send: LOAD_ROLL_BACK is armed only: again in 30 s, or --confirm\n"
    )
    assert lumenode("send", "DISARM", "--config", bench.config).returncode == 0
    done = lumenode("send", *words, "--confirm", "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [(a["stage"], a["reason"]) for a in answers] == [
        ("completed", "armed"),
        ("completed", "none"),
    ]


def test_a_load_that_the_node_refuses_says_why_and_one_in_the_way_can_be_given_up(
    bench, lumenode, tmp_path
):
    file = tmp_path / "bad.bin"
    file.write_bytes(b"\xc1" * 1_000)
    refused = lumenode("send", "load", "sequence", file, "--config", bench.config)
    assert refused.returncode == 1
    assert refused.stdout.startswith("LOAD_VALIDATE ")
    assert refused.stdout.endswith(" failed: unreadable\n")
    good = tmp_path / "night.toml"
    good.write_text(NIGHT)
    busy = lumenode("send", "sequence", good, "--config", bench.config)
    assert (busy.returncode, busy.stdout.endswith(" failed: busy\n")) == (1, True)
    assert busy.stderr == "lumenode send: another load is under way there: --replace\n"
    again = lumenode("send", "sequence", good, "--replace", "--config", bench.config)
    assert again.returncode == 0


def test_what_is_in_force_comes_down_is_written_and_compared(bench, lumenode, tmp_path):
    limits, night = tmp_path / "limits.toml", tmp_path / "night.toml"
    limits.write_text("telemetry.period_s = 1.0\npower.soc_floor = 0.5\n")
    night.write_text(NIGHT.replace("version = 4", "version = 6"))
    assert lumenode("send", "load", "parameters", limits, "--config", bench.config).returncode == 0
    assert lumenode("send", "sequence", night, "--config", bench.config).returncode == 0
    down = tmp_path / "down.json"
    words = ("dump", "parameters", down, "--compare", limits, "--config", bench.config)
    done = lumenode("send", *words)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first.startswith("LOAD_DUMP ")
    assert second.startswith("load parameters: ")
    assert second.endswith(", as in the file")
    assert json.loads(down.read_text()) == {"power.soc_floor": 0.5, "telemetry.period_s": 1.0}
    words = ("dump", "sequence", "--compare", night, "--json", "--config", bench.config)
    told = json.loads(lumenode("send", *words).stdout.splitlines()[-1])
    assert (told["kind"], told["same"]) == ("sequence", True)
    limits.write_text("power.soc_floor = 0.6\n")
    words = ("dump", "parameters", "--compare", limits, "--config", bench.config)
    differs = lumenode("send", *words)
    assert (differs.returncode, "NOT as in the file" in differs.stdout) == (1, True)
    unknown = lumenode("send", "dump", "songs", "--config", bench.config)
    assert (unknown.returncode, unknown.stdout.endswith("failed: not_found\n")) == (1, True)


def test_the_list_shows_every_command_its_ranges_and_its_dangers(lumenode):
    shown = lumenode("send", "--list")
    assert (shown.returncode, shown.stderr) == (0, "")
    for definition in COMMANDS:
        assert f"{definition.name} " in shown.stdout
    assert "mode: one of COMPUTE, IDLE, SAFE" in shown.stdout
    assert "name=power.soc_floor value: 0.2 to 0.9 1" in shown.stdout
    listed = [json.loads(line) for line in lumenode("send", "--list", "--json").stdout.splitlines()]
    assert [row["command"] for row in listed] == [definition.name for definition in COMMANDS]
    dangerous = {row["command"] for row in listed if row["dangerous"]}
    assert dangerous == {d.name for d in COMMANDS if d.dangerous}
    assert "LOAD_ROLL_BACK" in dangerous


def test_the_wrong_keys_get_no_answer(bench, lumenode, tmp_path):
    assert lumenode("keys", "init", tmp_path / "keys").returncode == 0
    options = ("--config", bench.config, "--keys", tmp_path / "keys", "--timeout", "1.5")
    silent = lumenode("send", "NO_OP", *options)
    assert (silent.returncode, silent.stderr) == (1, "")
    assert silent.stdout.endswith("no answer\n")


def test_watch_shows_state_and_telemetry_of_a_flying_node(bench, lumenode):
    shown = lumenode("watch", "power.*", "--config", bench.config, "--for", "3")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert "lumenode-1 online" in lines[0]
    assert any(" power.soc_estimate = " in line for line in lines)
    assert not any(" queue.bytes = " in line for line in lines)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["send", "NO_OP", "--port", "0"], 2),
        (["send", "NOPE"], 2),
        (["send"], 2),
        (["send", "NO_OP", "--confirm"], 2),
        (["send", "NO_OP", "--timeout", "0"], 2),
        (["send", "sequence"], 2),
        (["send", "sequence", "none.toml"], 2),
        (["send", "load", "parameters"], 2),
        (["send", "dump"], 2),
        (["send", "dump", "parameters", "a", "b"], 2),
        (["send", "dump", "parameters", "--compare", "none.toml"], 2),
        (["send", "NO_OP", "--compare", "none.toml"], 2),
        (["send", "load", "parameters", "none.bin"], 2),
        (["send", "NO_OP", "--keys", "none"], 2),
        (["send", "NO_OP", "--host", "10.1.2.3"], 2),
        (["watch", "no.such"], 2),
        (["watch", "--port", "1"], 1),
    ],
)
def test_a_mistake_is_one_line(lumenode, words, code):
    refused = lumenode(*words)
    assert (refused.returncode, refused.stdout) == (code, "")
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"lumenode {words[0]}: ")


def watching(bench, *words):
    """`lumenode watch`, running; read it by lines."""
    return subprocess.Popen(
        [sys.executable, "-m", "flight", "watch", "--config", str(bench.config), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_what_was_asked_for_is_watched_and_nothing_else(bench, lumenode):
    words = ("--group", "power", "thermal.die_c", "--severity", "WARNING", "--json", "--for", "5")
    with watching(bench, *words) as watch:
        assert json.loads(watch.stdout.readline())["message"]["online"]
        lumenode("send", "SET_PARAMETER", "name=power.soc_floor", "value=7",
                 "--config", bench.config)  # fmt: skip
        lumenode("send", "DUMP_PARAMETERS", "--config", bench.config)
        lines = [json.loads(line) for line in watch.stdout]
        assert (watch.wait(30), watch.stderr.read()) == (0, "")
    by_kind = {}
    for line in lines:
        by_kind.setdefault(line["topic"].split("/")[3], []).append(line["message"])
    names = {name for message in by_kind["tm"] for name in message["values"]}
    assert "thermal.die_c" in names
    assert "power.soc_estimate" in names
    assert "thermal.sink_c" not in names
    assert "mode.current" not in names
    assert {message["severity"] for message in by_kind["evt"]} == {"WARNING"}
    (report,) = by_kind["rpt"]
    assert report["values"]["telemetry.period_s"]["differs"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.such"], "no channel 'no.such' in the dictionary"),
        (["--group", "weather"], "--group 'weather': allowed: mode, power"),
        (["--severity", "LOUD"], "--severity 'LOUD': allowed: DEBUG, INFO"),
        (["--for", "0"], "--for 0: allowed is above 0"),
    ],
)
def test_what_would_show_nothing_is_refused_in_one_line(capsys, words, said):
    assert main_watch(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lumenode watch: {said}")


def test_the_list_names_every_channel_once(capsys):
    assert main_watch(["--list", "--json"]) == 0
    groups = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [row["channel"] for group in groups for row in group["channels"]]
    assert sorted(names) == sorted(channel.name for channel in CHANNELS)
    assert main_watch(["--list"]) == 0
    assert "  thermal.die_c " in capsys.readouterr().out
