"""Octets move through a real pseudo-terminal, a lost port comes back, and all of it can be kept."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import termios
import tty
from itertools import count

import pytest

from hil.bench_link.layout import SCHEMA_CRC32C, MessageType, Mode, Role
from hil.bench_link.line import Line
from hil.bench_link.messages import Hello, Octets
from hil.bench_link.port_serial import PortError, PtyPort, SerialPort
from hil.bench_link.session import Session
from hil.bench_link.session_values import Phase
from hil.bench_link.wire_capture import CaptureError, Way, WireCapture, read_capture

NUMBERS = count(10)


def session(role: Role) -> Session:
    hello = Hello(3, SCHEMA_CRC32C, role, Mode.FREE_RUN, 4096, 65542, 2, 10**6, 0, 0)
    return Session(hello, NUMBERS.__next__, 0)


class End:
    """One end of the link on a loop."""

    def __init__(self, loop, port, role, capture=None) -> None:
        self.loop, self.got = loop, []
        self.session = session(role)
        self.line = Line(loop, port, self.session, self.got.append, capture)

    def until(self, condition, seconds=20.0) -> None:
        async def wait():
            async with asyncio.timeout(seconds):
                while not condition():  # noqa: ASYNC110  whatever it looks at sets no event
                    await asyncio.sleep(0.001)

        self.loop.run_until_complete(wait())


@pytest.fixture
def loop():
    loop = asyncio.SelectorEventLoop()
    yield loop
    loop.close()


def told(end: End) -> list[bytes]:
    return [m.value.octets for m in end.got if m.kind is MessageType.TELL]


def test_two_ends_talk_through_a_pseudo_terminal_however_much_they_say(loop, tmp_path):
    port = PtyPort()
    capture = WireCapture(tmp_path / "wire")
    bench = End(loop, port, Role.BENCH, capture)
    node = End(loop, SerialPort(port.path, 921_600), Role.NODE)
    bench.until(lambda: bench.session.phase is node.session.phase is Phase.UP)
    sent = [bytes([k % 251]) * 4000 for k in range(200)]
    for record in sent:
        assert node.session.send(MessageType.TELL, Octets(record))
    node.line.flush()
    bench.until(lambda: len(told(bench)) == len(sent))
    assert told(bench) == sent
    assert bench.session.counters.rx_lost == bench.session.rx_corrupt == 0
    moved = bench.line.octets_in
    for end in (node, bench):
        end.line.close()
    capture.close()
    kept = [each for each in read_capture(tmp_path / "wire") if each.way is Way.FROM_NODE]
    assert sum(len(each.octets) for each in kept) == moved
    times = [each.t_ns for each in read_capture(tmp_path / "wire")]
    assert times == sorted(times)


class FragilePort:
    """A port whose cable can be pulled."""

    name = "fragile"

    def __init__(self) -> None:
        self.there = True
        self.fd = None
        self.opened = 0

    def open(self) -> int:
        if not self.there:
            raise PortError("fragile: not there")
        self.opened += 1
        self.master, self.fd = pty.openpty()
        tty.setraw(self.fd)
        os.set_blocking(self.fd, False)
        return self.fd

    def free(self) -> None:
        pass

    def pull(self) -> None:
        self.there = False
        os.close(self.master)

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def test_a_port_that_goes_away_is_opened_again_and_the_session_starts_anew(loop):
    port = FragilePort()
    end = End(loop, port, Role.BENCH)
    first = end.session._session
    port.pull()
    end.until(lambda: end.line.times_lost == 1)
    assert end.session._session != first
    end.until(lambda: loop.time() > 0)
    port.there = True
    end.until(lambda: port.opened == 2)
    end.line.close()
    os.close(port.master)


def test_a_device_that_is_no_serial_port_is_one_line(tmp_path):
    path = tmp_path / "file"
    path.touch()
    for name in (path, tmp_path / "none"):
        with pytest.raises(PortError, match=f"{name.name}: cannot be opened as a serial port") as e:
            SerialPort(str(name), 921_600).open()
        assert "\n" not in str(e.value)


def test_a_terminal_that_a_dead_node_took_for_itself_can_be_had_again():
    port = PtyPort()
    taken = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(taken, termios.TIOCEXCL)
    os.close(taken)
    port.free()
    again = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    os.close(again)
    port.close()
    port.close()


@pytest.mark.parametrize(
    "content",
    [b"", b"something else entirely", b"LNWIRE\0\1" + b"\0" * 5, b"LNWIRE\0\1" + b"\7" * 40,
     b"LNWIRE\0\1" + b"\0" * 9 + b"\5\0\0\0ab"],
    ids=["empty", "foreign", "cut in a head", "damaged", "cut in a body"],
)  # fmt: skip
def test_a_file_that_is_no_capture_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "wire"
    path.write_bytes(content)
    with pytest.raises(CaptureError) as caught:
        list(read_capture(path))
    assert "\n" not in str(caught.value)
