"""Guard and planner over one plant, for a node that has a model of itself.

That takes an orbit, a battery, thermometers on die and sink, and a board whose watts are known.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from flight.base.supervisor import ChildSpec
from flight.composition.cycle import Governing, orbit_forecast
from flight.downlink.link_experience import Confidence
from flight.thermal.flight_outlook import ContactAhead, FlightOutlook
from flight.thermal.level_guard import LevelGuard
from flight.thermal.node_plant import NodePlant
from flight.thermal.plan_model import HeatPath, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.composition.downlink import DownlinkParts
    from flight.composition.surroundings import Shared, Surroundings
    from flight.telemetry.channel_values import ChannelValues
    from flight.thermal.plan_desk import Stock

    Contacts = Callable[[float, float], Sequence[ContactAhead]]

NS_PER_S = 1_000_000_000
CONTACTS_AHEAD = 64


def governing_with_model(shared: Shared, downlink: DownlinkParts) -> Governing:
    """The guard alone, or the planner above it with a service beside the cycle."""
    around = shared.around
    node = node_plant(around, shared.channels, partial(contacts_ahead, shared))
    guard = LevelGuard(around.profile, node)
    if around.config.inference.governor != "planner":
        return Governing(guard)
    # Only a node that plans loads the planner.
    from flight.thermal.level_advice import LevelAdvice  # noqa: PLC0415
    from flight.thermal.plan_desk import PlanDesk  # noqa: PLC0415
    from flight.thermal.plan_governor import PlanGovernor  # noqa: PLC0415
    from flight.thermal.plan_service import PlanService  # noqa: PLC0415

    desk = PlanDesk(
        node, partial(stock, shared, downlink), partial(link_bps, shared), shared.channels
    )
    advice = LevelAdvice(around.profile, _work(around))
    beside = None
    if around.tick is not None:  # time is real
        from flight.thermal.plan_thread import PlanThread  # noqa: PLC0415

        beside = PlanThread()
    service = ChildSpec(name="planner", factory=lambda: PlanService(around.clock, desk, beside))
    return Governing(PlanGovernor(guard, node, desk, advice), (service,))


def node_plant(around: Surroundings, channels: ChannelValues, contacts: Contacts) -> NodePlant:
    """The plant of this node's profile, heat path, orbit and contacts."""
    work = _work(around)
    assert around.config.orbit is not None  # as `has_plant` found
    path = HeatPath(**msgspec.structs.asdict(around.config.planner))
    outlook = FlightOutlook(orbit_forecast(around.config.orbit), work.frames_per_s)
    return NodePlant(around.profile, path, work, outlook, contacts, around.laser_w, channels)


def _work(around: Surroundings) -> Work:
    camera = around.config.camera
    variant = around.config.inference.first_variant
    return Work(variant, camera.tiles_per_frame, 1.0 / camera.cadence_s)


def contacts_ahead(shared: Shared, start_s: float, end_s: float) -> list[ContactAhead]:
    """Authorised contacts of a span of mission time, with what experience says they carry."""
    plan, now_ns = shared.plan, round(start_s * NS_PER_S)
    present = plan.active(now_ns)
    coming = plan.upcoming(now_ns, CONTACTS_AHEAD)
    found = []
    for each in coming if present is None else [present, *coming]:
        begins_s, ends_s = each.start_ns / NS_PER_S, each.end_ns / NS_PER_S
        if begins_s < end_s:
            share = plan.experience_of(each.kind).share(Confidence.MEAN)
            found.append(ContactAhead(begins_s, ends_s, each.rate_bps, share))
    return found


def stock(shared: Shared, downlink: DownlinkParts) -> Stock:
    """What was made, and what of it waits for the link."""
    from flight.thermal.plan_desk import Stock  # noqa: PLC0415

    waiting, intake = downlink.queue.snapshot(), downlink.intake
    return Stock(
        frames=shared.counts.jobs,
        made_bytes=float(intake.made_bytes),
        made_value=intake.made_millis / 1000.0,
        waiting_bytes=float(waiting.queued_bytes),
        waiting_value=waiting.queued_millis / 1000.0,
    )


def link_bps(shared: Shared) -> float:
    """What the link carries now."""
    contact = shared.plan.active(shared.around.clock.now_ns())
    lit = shared.channels.get("link.laser_on") > 0.0
    return contact.rate_bps if contact is not None and lit else 0.0
