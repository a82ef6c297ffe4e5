"""Every bounded queue of the node, and the four channels that each of them has in telemetry."""

from __future__ import annotations

import msgspec

from flight.telemetry.definitions import Channel, Kind


class QueueDef(msgspec.Struct, frozen=True):
    """One queue: what waits in it, and what gives way when it is full.

    Attributes:
        name: of the queue itself, and of its channels.
        policy: "oldest" is dropped for the newest, the "newest" is refused, or whatever is the
            "least valuable" goes.
        on_host: what it holds depends on the machine and its network.
    """

    name: str
    policy: str
    description: str
    on_host: bool = False


QUEUES: tuple[QueueDef, ...] = (
    QueueDef("event_log", "oldest", "events on their way to telemetry"),
    QueueDef("live_telemetry", "oldest", "packets that wait for a link"),
    QueueDef("telemetry_requests", "newest", "reports that were asked for"),
    QueueDef("frames", "oldest", "camera frames that wait for the payload"),
    QueueDef("mode_requests", "newest", "modes that were asked for"),
    QueueDef("deletions", "newest", "products to be given up"),
    QueueDef("revaluations", "newest", "products to be given another value"),
    QueueDef("arq_inbox", "oldest", "reports and answers of the ground"),
    QueueDef("verification", "oldest", "answers to commands that wait for a link"),
    QueueDef("products", "least valuable", "products that wait for a contact"),
    QueueDef("withdrawals", "oldest", "products that the ground is to forget"),
    QueueDef("repairs", "oldest", "repair symbols that wait for a frame"),
    QueueDef("commands", "newest", "commands whose identity is not durable yet"),
    QueueDef("answers", "newest", "answers to commands that wait for the store"),
    QueueDef("store_writes", "newest", "writes that the medium has not answered"),
    QueueDef("life_lines", "newest", "lines for the book of lives"),
    QueueDef("mqtt_outbox", "oldest", "messages that wait for a broker", on_host=True),
    QueueDef("mqtt_inbox", "newest", "messages of the broker's that wait", on_host=True),
)

QUEUE_GROUP = "queues"
_C = Kind.COUNTER


def queue_channels() -> tuple[Channel, ...]:
    """Capacity, depth, high-water mark and losses of each queue."""
    rows: list[Channel] = []
    for queue in QUEUES:
        group = "host" if queue.on_host else QUEUE_GROUP
        rows += [
            Channel(f"queues.{queue.name}_{measure}", "", group, _C, text, host=queue.on_host)
            for measure, text in (
                ("capacity", f"room for {queue.description}"),
                ("depth", queue.description),
                ("high_water", f"most there ever were: {queue.description}"),
                ("dropped", f"lost, the {queue.policy} first: {queue.description}"),
            )
        ]
    return tuple(rows)
