"""The bridge to an MQTT broker, as a companion of the node; made only where one is configured."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from flight.base.restart_policy import Restart
from flight.base.supervisor import ChildSpec
from flight.config import ConfigError
from flight.telemetry.bridge_mqtt import STOP_NS, MqttBridge
from flight.telemetry.client_mqtt import broker_access
from flight.telemetry.mqtt_ledger import BridgeLedger
from flight.telemetry.mqtt_messages import Topics
from flight.telemetry.mqtt_outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.app import Node
    from flight.base.clock import Clock, UtcCorrelation
    from flight.board_config import FlyConfig
    from flight.composition.surroundings import Surroundings
    from flight.telemetry.event_log import Event


def bridged(around: Surroundings, config: FlyConfig, utc: UtcCorrelation) -> Surroundings:
    """The surroundings with a bridge in them.

    Raises:
        ConfigError: a file that the broker's section names is not usable.
    """
    section = config.mqtt
    broker = broker_access(section)
    listener_fd = _listener_fd(config)
    ledger = BridgeLedger()
    outbox = Outbox(Topics(config.name), section.queue_messages, utc.offset_ns)

    def companions(node: Node) -> list[ChildSpec]:
        node.queues.add(outbox, ledger.inbox)

        def bridge() -> MqttBridge:
            return MqttBridge(
                section=section,
                broker=broker,
                node_name=config.name,
                node=node,
                clock=around.clock,
                outbox=outbox,
                ledger=ledger,
                quality=utc.quality.name.lower(),
            )

        spec = ChildSpec(
            name="mqtt", factory=bridge, restart=Restart.TRANSIENT, stop_timeout_ns=STOP_NS
        )
        return [*around.companions(node), *_brokers(listener_fd, around.clock), spec]

    return replace(
        around,
        listener=_both(around.listener, outbox.on_event),
        on_answer=outbox.on_answer,
        on_report=outbox.on_report,
        on_dump=outbox.on_dump,
        companions=companions,
    )


def _listener_fd(config: FlyConfig) -> int:
    """The port of a broker that the node brings along; -1 for none."""
    section = config.mqtt
    if not section.embedded:
        return -1
    # Only then: it is a broker of a bench.
    from flight.broker_command import MISSING, is_installed, listening  # noqa: PLC0415

    if not is_installed():
        raise ConfigError(f"mqtt.embedded = true: {MISSING}")
    try:
        return listening(section.host, section.port).detach()
    except OSError as error:
        raise ConfigError(
            f"mqtt.port = {section.port}: {os.strerror(error.errno or 0)}; a broker that is there "
            "already: embedded = false"
        ) from None


def _brokers(listener_fd: int, clock: Clock) -> list[ChildSpec]:
    if listener_fd < 0:
        return []
    from flight.telemetry.broker_child_process import BrokerChild  # noqa: PLC0415  only then

    return [
        ChildSpec(
            name="broker",
            factory=lambda: BrokerChild(listener_fd, clock),
            restart=Restart.TRANSIENT,
            stop_timeout_ns=STOP_NS,
        )
    ]


def _both(
    first: Callable[[Event], None] | None, second: Callable[[Event], None]
) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if first is not None:
            first(event)
        second(event)

    return tell
