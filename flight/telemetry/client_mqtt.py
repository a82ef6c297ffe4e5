"""The MQTT client as we use it: bounded queues, bounded waits, TLS 1.2 and above, names for errors.

What has to reach into the library for that is here and nowhere else.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt

from flight.board_config import read_password
from flight.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.board_config import MqttSection

CONNECT_TIMEOUT_S = 1.5
"""The library connects in a thread, which the end of a process has to wait for."""
ANSWER_TIMEOUT_S = 5.0
QUEUE = 64
QOS = 1
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


def new_client(
    section: MqttSection,
    access: dict[str, Any],
    identifier: str | None,
    *,
    will: aiomqtt.Will | None = None,
    overflow: Callable[[], None],
) -> aiomqtt.Client:
    """A client for one session; needs a running loop.

    Args:
        section: where the broker is.
        access: what `broker_access` made of the section.
        identifier: of the client; a second client of the same one ends the first one's session.
            None has the broker choose.
        will: what the broker says for us when we are gone without a word.
        overflow: called for each received message that finds `QUEUE` others waiting.
    """

    class Inbox(asyncio.Queue[aiomqtt.Message]):
        """The library throws away what finds no room; here it is counted."""

        def put_nowait(self, item: aiomqtt.Message) -> None:
            if self.full():
                overflow()
            else:
                super().put_nowait(item)

    client = aiomqtt.Client(
        section.host,
        section.port,
        identifier=identifier,
        will=will,
        timeout=ANSWER_TIMEOUT_S,
        keepalive=section.keepalive_s,
        queue_type=Inbox,
        max_queued_incoming_messages=QUEUE,
        max_queued_outgoing_messages=QUEUE,
        **access,
    )
    client._client.connect_timeout = CONNECT_TIMEOUT_S  # noqa: SLF001  no other way to it
    return client


def hang_up(client: aiomqtt.Client) -> None:
    """Closes what may still be open: the library leaves a connection that was never answered."""
    client._client.disconnect()  # noqa: SLF001  no other way to it


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
