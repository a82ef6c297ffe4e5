"""The whole gateway over real sockets, to a receiver of cfdp-py's, and its words to the user."""

import json
import select
import socket
import threading

import pytest
from cfdp_oracle import Clock, GroundSystem, Way
from test_archive_files import put

from hil.cfdp.cfdp_command import main_cfdp
from hil.cfdp.pdu_packet import CFDP_APID, from_packet, to_packet

HERE = "127.0.0.1"


class UdpGround(threading.Thread):
    """A ground system at a port of its own, until it is told to stop."""

    def __init__(self, ground, clock, way):
        super().__init__(daemon=True)
        self._ground, self._clock, self._way = ground, clock, way
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HERE, 0))
        self.port = self._socket.getsockname()[1]
        self.over = threading.Event()
        self.packets = []

    def run(self):
        sender = None
        while not self.over.is_set():
            if select.select([self._socket], [], [], 0.005)[0]:
                packet, sender = self._socket.recvfrom(65_536)
                self.packets.append(packet)
                for pdu in self._way.carry([from_packet(CFDP_APID, packet)]):
                    self._ground.hear(pdu)
            self._clock.now_ns += 50_000_000  # its timers run fast: nobody waits for them
            for pdu in self._ground.say() if sender else []:
                self._socket.sendto(to_packet(CFDP_APID, 0, pdu), sender)
        self._socket.close()


@pytest.fixture
def ground(tmp_path, monkeypatch):
    system = GroundSystem(tmp_path / "received")
    thread = UdpGround(system, Clock(monkeypatch), Way(3, doubled=0.2))
    thread.start()
    yield system, thread
    thread.over.set()
    thread.join()


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(4):
        put(folder, f"mask-{number}.bin", bytes([number]) * 3_000, product_id=number)
    return folder


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def arguments(archive, thread, *more):
    return [
        str(archive), "--to", f"{HERE}:{thread.port}", "--listen", f"{HERE}:0", "--once", "--json",
        *more,
    ]  # fmt: skip


def test_an_archive_is_handed_over_as_files_and_nothing_is_sent_the_second_time(
    archive, ground, capsys
):
    system, thread = ground
    assert main_cfdp(arguments(archive, thread)) == 0
    for number in range(4):
        assert system.has(f"mask-{number}.bin") == bytes([number]) * 3_000
    told = lines(capsys)
    assert [line["what"] for line in told].count("delivered") == 4
    assert told[-1]["files_unfinished"] == 0
    assert told[-1]["files_delivered"] == 4
    assert all(str(archive).encode() not in packet for packet in thread.packets)
    assert main_cfdp(arguments(archive, thread)) == 0
    (_, ended) = lines(capsys)
    assert ended == {"what": "ended", "files_unfinished": 0}


def test_a_product_that_names_a_path_is_told_and_the_others_are_handed_over(
    archive, ground, capsys
):
    system, thread = ground
    put(archive, "evil", product_id=9, names="../../evil.bin")
    assert main_cfdp(arguments(archive, thread)) == 1
    told = lines(capsys)
    (refused,) = [line for line in told if line["what"] == "refused"]
    assert refused["file"] == "evil.json"
    assert [line["what"] for line in told].count("delivered") == 4
    assert sorted(path.name for path in system.folder.iterdir()) == [
        f"mask-{number}.bin" for number in range(4)
    ]


def test_a_ground_that_is_not_there_leaves_the_files_for_the_next_time(archive, ground, capsys):
    system, thread = ground
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind((HERE, 0))
        nobody = closed.getsockname()[1]
    options = ["--to", f"{HERE}:{nobody}", "--listen", f"{HERE}:0", "--for", "0.2", "--json"]
    assert main_cfdp([str(archive), *options]) == 0
    assert lines(capsys)[-1]["files_unfinished"] == 4
    assert main_cfdp(arguments(archive, thread)) == 0
    told = lines(capsys)
    assert told[-1]["transactions_resumed"] >= 1
    assert all(system.has(f"mask-{n}.bin") == bytes([n]) * 3_000 for n in range(4))


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--to", "nowhere"], "HOST:PORT"), (["--listen", f"{HERE}:70000"], "65535"),
        (["--segment", "8"], "16 to 32768"),
        (["--rate", "0"], "1000"), (["--apid", "2047"], "2046"),
        (["--checksum", "md5"], "modular"), (["--entity", "70000"], "bad_value"),
        (["--for", "nan"], "0.001"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_said_in_one_line(archive, more, word, capsys):
    with pytest.raises(SystemExit) as exit_code:
        raise SystemExit(main_cfdp([str(archive), *more]))
    said = capsys.readouterr().err
    assert exit_code.value.code == 2
    assert said.count("\n") == 1
    assert word in said


def test_an_archive_that_is_not_there_is_said_in_one_line(tmp_path, capsys):
    assert main_cfdp([str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "none" in said
