"""The bridge to an MQTT broker, as a companion of the node; made only where one is configured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flight.base.restart_policy import Restart
from flight.base.supervisor import ChildSpec
from flight.telemetry.bridge_mqtt import STOP_NS, MqttBridge
from flight.telemetry.client_mqtt import broker_access
from flight.telemetry.mqtt_ledger import BridgeLedger
from flight.telemetry.mqtt_messages import Topics
from flight.telemetry.mqtt_outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.app import Node
    from flight.base.clock import UtcCorrelation
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
    ledger = BridgeLedger()
    outbox = Outbox(Topics(config.name), section.queue_messages, utc.offset_ns)

    def companions(node: Node) -> list[ChildSpec]:
        node.queues.add(outbox)

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
        return [*around.companions(node), spec]

    return replace(
        around,
        listener=_both(around.listener, outbox.on_event),
        on_answer=outbox.on_answer,
        on_report=outbox.on_report,
        companions=companions,
    )


def _both(
    first: Callable[[Event], None] | None, second: Callable[[Event], None]
) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if first is not None:
            first(event)
        second(event)

    return tell
