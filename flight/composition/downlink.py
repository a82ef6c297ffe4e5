"""The downlink side of the node: link, queue, ARQ, intake, and the service that drives them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.contact_session import ContactSession
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.downlink_service import DownlinkService
from flight.downlink.durable_counters import counter_reserve, replay_window
from flight.downlink.frame_filler import FrameFiller, manifest_overhead
from flight.downlink.pass_plan import Contact, ContactKind, KeepOut, PassPlan
from flight.downlink.product import Producer
from flight.downlink.product_intake import ProductIntake
from flight.downlink.product_lives import LifeEvents, ProductLives
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig, RoomGauge
from flight.downlink.settlement import Settlement
from flight.keys import Half
from flight.start_up import save_experience
from flight.wire.secure_link import SecureLink
from flight.wire.transfer_frame import VirtualChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.commanding.uplink_service import UplinkService
    from flight.composition.radio import RadioParts
    from flight.composition.surroundings import Shared, Surroundings
    from flight.config import NodeConfig
    from flight.downlink.repair_coder import RepairCoder
    from flight.link_config import ContactConfig, KeepOutConfig, LinkConfig
    from flight.telemetry.telemetry_service import TelemetryService
    from flight.wire.channel_coding import ChannelCoder

NS_PER_S = 1_000_000_000
IV_BLOCK = 16_384
"""Half of it is left when the next block is asked for: at 200 Mbit/s in frames of 2 kB the store's
writer has 0.6 s for it."""
COMMIT_SHARE = 8
"""One part in so many of the store's cap is for products that wait for a commit, new or freed."""


@dataclass(frozen=True, slots=True)
class DownlinkParts:
    """What outlives a restart of the downlink service."""

    link: SecureLink
    queue: DownlinkQueue
    arq: ArqSender
    intake: ProductIntake
    settlement: Settlement
    coder: ChannelCoder | None
    repair: RepairCoder | None
    lives: ProductLives
    radio: RadioParts | None


def uploaded_plan(around: Surroundings, now_ns: int, *, radio: bool = False) -> PassPlan:
    """The contact plan of light or radio and what stands before it, from UTC to mission time."""
    plan = PassPlan()
    cut_plan(around, plan, zero_of(around, now_ns), radio=radio)(
        () if radio else around.config.keep_outs
    )
    return plan


def zero_of(around: Surroundings, now_ns: int) -> int:
    """Mission time at the Unix epoch, as it is known at the start."""
    return now_ns - round(around.utc_s * NS_PER_S)


def cut_plan(
    around: Surroundings, plan: PassPlan, zero_ns: int, *, radio: bool = False
) -> Callable[[Sequence[KeepOutConfig]], None]:
    """What loads a plan with the configured contacts, cut by the keep-outs it is given."""

    def span(each: ContactConfig | KeepOutConfig) -> tuple[int, int]:
        start_ns, end_ns = round(each.start_utc_s * NS_PER_S), round(each.end_utc_s * NS_PER_S)
        return zero_ns + start_ns, zero_ns + end_ns

    contacts = [
        Contact(
            each.contact_id, each.peer_id, ContactKind[each.kind], *span(each), each.rate_bps,
            each.authorised,
        )
        for each in around.config.contacts
        if (each.kind == ContactKind.RADIO.value) is radio
    ]  # fmt: skip

    def cut(keep_outs: Sequence[KeepOutConfig]) -> None:
        plan.load(contacts, [KeepOut(each.peer_id, *span(each)) for each in keep_outs])

    return cut


def queue_config(config: NodeConfig) -> QueueConfig:
    """Bounds of the downlink queue: always below the store's cap.

    So it is the queue that gives way first, the least valuable product of all, and not the store,
    which could only refuse the newest.
    """
    link, cap_bytes = config.link, config.store.cap_bytes
    budget_bytes = min(link.queue_bytes, cap_bytes - cap_bytes // COMMIT_SHARE)
    shares = {
        Producer.IMAGING: config.store.quota_imaging,
        Producer.TELEMETRY: config.store.quota_telemetry,
        Producer.COMMANDING: config.store.quota_commanding,
    }
    return QueueConfig(
        budget_bytes=budget_bytes,
        products_max=link.queue_products,
        order=OrderConfig(half_life_ns=link.half_life_ns),
        quotas={who: round(share * budget_bytes) for who, share in shares.items() if share < 1.0},
    )


def downlink_parts(shared: Shared) -> DownlinkParts:
    """Queue and ARQ over the store, behind the secured link."""
    around = shared.around
    link = _secure_link(around)
    config = queue_config(around.config)
    queue = DownlinkQueue(config, manifest_overhead, around.store.far)
    arq = ArqSender(
        VirtualChannel.PRODUCTS, ArqConfig(window_frames=around.config.link.window_frames)
    )
    lives = ProductLives(around.store.keep_lives)
    intake = ProductIntake(
        store=around.store,
        queue=queue,
        arq=arq,
        ids=counter_reserve(around.store, "product.id"),
        config=around.config.store,
        channels=shared.channels,
        events=LifeEvents(lives, shared.events),
    )
    repair = _repair_coder(around.config.link, link.packets_bytes_max)
    shared.queues.add(
        intake.deletions, intake.revaluations, intake.withdrawn, lives, RoomGauge(queue, config),
        around.store.writes, *([] if repair is None else [repair.due]),
    )  # fmt: skip
    settlement = Settlement(arq, queue, intake, shared.events, lives)
    return DownlinkParts(
        link=link,
        queue=queue,
        arq=arq,
        intake=intake,
        settlement=settlement,
        coder=_coder(around.config.link.coding),
        repair=repair,
        lives=lives,
        radio=_radio_parts(shared, link, settlement, arq),
    )


def _radio_parts(
    shared: Shared, link: SecureLink, settlement: Settlement, arq: ArqSender
) -> RadioParts | None:
    if shared.around.radio is None or not shared.around.config.links.radio:
        return None
    # Only then: most nodes have no radio beside their laser.
    from flight.composition.radio import radio_parts  # noqa: PLC0415

    return radio_parts(shared, link, settlement, arq)


def _repair_coder(link: LinkConfig, room_bytes: int) -> RepairCoder | None:
    if link.repair <= 0.0:
        return None
    # Only then: most nodes hear reports in every pass.
    from flight.downlink.repair_coder import RepairCoder  # noqa: PLC0415

    return RepairCoder(
        room_bytes=room_bytes,
        frame_bytes=link.frame_bytes,
        share=link.repair,
        after_ns=round(link.repair_after_s * NS_PER_S),
    )


def _coder(coding: str) -> ChannelCoder | None:
    if coding != "rs":
        return None
    # Only then: most terminals correct by themselves.
    from flight.wire.channel_coding import ChannelCoder  # noqa: PLC0415

    return ChannelCoder()


def _secure_link(around: Surroundings) -> SecureLink:
    link = around.config.link
    return SecureLink(
        scid=link.spacecraft_id,
        sends=around.keys.sends(Half.NODE),
        receives=[around.keys.receives(Half.NODE)],
        counters=counter_reserve(around.store, "link.iv", IV_BLOCK),
        frame_bytes_max=link.sealed_bytes,
        window=replay_window(around.store, "link.uplink", store_every=64),
    )


def downlink_service(
    shared: Shared, parts: DownlinkParts, uplink: UplinkService, telemetry: TelemetryService
) -> DownlinkService:
    """One life of the contact loop."""
    around = shared.around
    filler = FrameFiller(
        parts.queue, parts.arq, around.store, shared.sequence, parts.link.packets_bytes_max
    )
    return DownlinkService(
        clock=around.clock,
        devices=around.devices,
        repair=parts.repair,
        coder=parts.coder,
        lives=parts.lives,
        radio=None if parts.radio is None else parts.radio.link(shared, parts, uplink),
        session=_contact_session(shared, parts),
        link=parts.link,
        filler=filler,
        arq=parts.arq,
        intake=parts.intake,
        uplink=uplink,
        settlement=parts.settlement,
        telemetry=telemetry,
        sequence=shared.sequence,
        channels=shared.channels,
        heart=shared.hearts.downlink,
        wait_until=None if around.arrivals is None else around.arrivals.wait_until,
    )


def _contact_session(shared: Shared, parts: DownlinkParts) -> ContactSession:
    around, plan, events = shared.around, shared.plan, shared.events
    return ContactSession(
        devices=around.devices,
        plan=plan,
        names={c.contact_id: c.peer_name for c in around.config.contacts},
        queue=parts.queue,
        arq=parts.arq,
        status=shared.status,
        delivered=lambda: parts.intake.delivered_total,
        learned=partial(save_experience, around.store, plan, events),
        frame_bytes=around.config.link.frame_bytes,
        channels=shared.channels,
        events=events,
    )
