"""The MQTT client as we use it: bounded queues, bounded waits, TLS 1.2 and above, names for errors.

What has to reach into the library for that is here and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt

from flight.board_config import read_password
from flight.config import ConfigError
from flight.telemetry.mqtt_ledger import INBOX_MAX
from flight.telemetry.read_budget import PACKET_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.board_config import MqttSection

CONNECT_TIMEOUT_S = 1.5
"""The library connects in a thread, which the end of a process has to wait for."""
ANSWER_TIMEOUT_S = 5.0
QOS = 1
_SILENT = logging.getLogger("lumenode.mqtt")
"""What the library would write to the terminal reaches us as an error as well."""
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_REFUSED = 0x80
"""First code of a broker's answer that refuses a subscription (MQTT 3.1.1 section 3.9.3)."""


def broker_access(section: MqttSection) -> dict[str, Any]:
    """TLS and password as the library takes them; ConfigError when a file is not usable."""
    access: dict[str, Any] = {}
    if section.username:
        access["username"] = section.username
        if section.password_file:
            access["password"] = read_password(Path(section.password_file))
    if section.ca_file:
        try:
            context = ssl.create_default_context(cafile=section.ca_file)
            if section.cert_file:
                context.load_cert_chain(section.cert_file, section.key_file)
        except OSError as error:
            raise ConfigError(f"mqtt.ca_file, cert_file, key_file: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        access["tls_context"] = context
    return access


def fits(announced_bytes: int) -> bool:
    """No packet of ours is longer: all that an operator's end is careful about."""
    return announced_bytes <= PACKET_BYTES_MAX


def forget(_count: int) -> None:
    """Nobody counts."""


def new_client(  # noqa: PLR0913  what one session is made of
    section: MqttSection,
    access: dict[str, Any],
    identifier: str | None,
    *,
    will: aiomqtt.Will | None = None,
    overflow: Callable[[], None],
    may_read: Callable[[int], bool] = fits,
    took: Callable[[int], None] = forget,
    waiting: Callable[[int], None] = forget,
) -> aiomqtt.Client:
    """A client for one session; needs a running loop.

    Args:
        section: where the broker is.
        access: what `broker_access` made of the section.
        identifier: of the client; a second client of the same one ends the first one's session.
            None has the broker choose.
        will: what the broker says for us when we are gone without a word.
        overflow: called for each received message that finds `INBOX_MAX` others waiting.
        may_read: asked before each read, with the octets of the packet still to come; a no ends
            the session.
        took: told how many octets a read brought.
        waiting: told how many received messages wait, whenever that changes.
    """

    class Inbox(asyncio.Queue[aiomqtt.Message]):
        """The library throws away what finds no room; here it is counted."""

        def put_nowait(self, item: aiomqtt.Message) -> None:
            if self.full():
                overflow()
            else:
                super().put_nowait(item)
                waiting(self.qsize())

        def get_nowait(self) -> aiomqtt.Message:
            item = super().get_nowait()
            waiting(self.qsize())
            return item

    waiting(0)
    client = aiomqtt.Client(
        section.host,
        section.port,
        identifier=identifier,
        will=will,
        timeout=ANSWER_TIMEOUT_S,
        keepalive=section.keepalive_s,
        queue_type=Inbox,
        max_queued_incoming_messages=INBOX_MAX,
        max_queued_outgoing_messages=INBOX_MAX,
        logger=_SILENT,
        **access,
    )
    client._client.connect_timeout = CONNECT_TIMEOUT_S  # noqa: SLF001  no other way to it
    _watch_reads(client, may_read, took)
    _watch_writes(client)
    return client


def _watch_reads(client: Any, may_read: Callable[[int], bool], took: Callable[[int], None]) -> None:
    """Puts a bound on what a broker can make us read and hold, and tells why it hung up.

    The library has no bound: it would take in a packet of 256 MB, and 65,535 messages of QoS 2,
    which nobody subscribes to. And it keeps to itself why a connection ended that was not answered
    yet, which is how a broker refuses a certificate under TLS 1.3 (RFC 8446 section 4.4.2.4).
    """
    library = client._client  # noqa: SLF001
    receive = library._sock_recv  # noqa: SLF001

    def watched(size: int) -> bytes:
        if len(library._in_messages) > INBOX_MAX or not may_read(size):  # noqa: SLF001
            return b""  # as if the broker had hung up
        try:
            data: bytes = receive(size)
        except BlockingIOError:
            raise
        except OSError as error:
            _refuse(client, error.strerror or str(error))
            raise
        if not data:
            _refuse(client, "the broker hung up at once")
        took(len(data))
        return data

    library._sock_recv = watched  # noqa: SLF001


def _watch_writes(client: Any) -> None:
    """Has a socket waited for only while it is open.

    The library asks the loop later, by its number, which may be nobody's by then, or belong to
    another of the node's files.
    """
    library, loop = client._client, asyncio.get_running_loop()  # noqa: SLF001

    def write() -> None:
        try:
            library.loop_write()
        except Exception as error:  # noqa: BLE001  whatever it is, the session is over
            if not client._disconnected.done():  # noqa: SLF001
                client._disconnected.set_exception(error)  # noqa: SLF001

    def add(sock: Any) -> None:
        if sock.fileno() >= 0:
            loop.add_writer(sock.fileno(), write)

    def register(_library: Any, _data: Any, sock: Any) -> None:
        loop.call_soon_threadsafe(add, sock)

    library.on_socket_register_write = register


def _refuse(client: Any, why: str) -> None:
    """Ends the wait for a connection's answer."""
    if not client._connected.done():  # noqa: SLF001
        client._connected.set_exception(aiomqtt.MqttError(why))  # noqa: SLF001


def hang_up(client: aiomqtt.Client) -> None:
    """Closes what may still be open: the library leaves a connection that was never answered.

    Why it ended was told by whoever waited; nobody else asks, which asyncio would complain of.
    """
    if client._connected.cancelled():  # noqa: SLF001
        client._client.on_disconnect = None  # noqa: SLF001  it would ask a future that has no answer
    client._client.disconnect()  # noqa: SLF001  no other way to it
    for ended in (client._connected, client._disconnected):  # noqa: SLF001
        if ended.done() and not ended.cancelled():
            ended.exception()


def is_granted(codes: Any) -> bool:
    """Whether a broker's answer to a subscription grants all of it."""
    return all(int(getattr(code, "value", code)) < _REFUSED for code in codes)


def first_error(group: BaseExceptionGroup[BaseException]) -> str:
    """The first error of a group, in one line."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(f"{type(error).__name__}: {error}".split())


async def try_broker(section: MqttSection) -> str:
    """Connects once and says goodbye; why that cannot be done, in one line, or ""."""
    try:
        client = new_client(section, broker_access(section), None, overflow=lambda: None)
        async with client:
            return ""
    except (ConfigError, aiomqtt.MqttError, OSError) as error:
        return " ".join(f"{type(error).__name__}: {error}".split())
