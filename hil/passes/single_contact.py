"""The scenario of one contact: some imaging before it, the contact, and the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from hil.scenario import Expectation, ExpectKind, SpacecraftSection, load_scenario

if TYPE_CHECKING:
    from hil.passes.forecast import ContactAhead
    from hil.scenario import Scenario, SiteSection

TAIL_S = 60.0
ONCE_S = 1.0e7
"""Longer than any scenario of one contact: the relay is looked for once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOptions:
    """What the user may change.

    Attributes:
        lead_s: imaging before the contact, from an empty queue.
        rate_bps: line rate; None takes the default mission's, scaled to its share of tiles.
        sites: stations of the user's own.
        sun_deg: the terminal looks no closer to the Sun.
    """

    lead_s: float
    seed: int
    mask_deg: float
    margin_db: float
    cloud: bool
    imagery: Literal["sentinel2", "synthetic"]
    rate_bps: float | None = None
    sites: tuple[SiteSection, ...] = ()
    sun_deg: float = 5.0


def single_contact(
    ahead: ContactAhead, zero: datetime, tle: tuple[str, str], options: PassOptions
) -> Scenario:
    """Node, camera and channel of the default mission on the user's orbit; `zero` as forecast."""
    base = load_scenario("first-flight")
    is_relay = ahead.max_elevation_deg is None
    lead = timedelta(seconds=round(options.lead_s))
    epoch = zero.astimezone(UTC) + timedelta(seconds=int(ahead.start_s)) - lead
    start_s = ahead.start_s - (epoch - zero).total_seconds()
    rate_bps = options.rate_bps or (
        base.ground.relay_rate_bps if is_relay else base.ground.rate_bps
    )
    ground = replace(
        base.ground,
        stations=() if is_relay else (ahead.peer,),
        sites=options.sites,
        elevation_mask_deg=options.mask_deg,
        margin_zenith_db=options.margin_db,
        max_passes=0 if is_relay else 1,
        relay=is_relay,
        rate_bps=rate_bps,
        relay_rate_bps=rate_bps,
        relay_first_s=start_s,
        relay_every_s=ONCE_S,
        relay_contact_s=ahead.length_s if is_relay else base.ground.relay_contact_s,
        cloud=options.cloud,
        sun_keep_out_deg=options.sun_deg,
    )
    return replace(
        base,
        name="pass",
        title=f"One contact: {ahead.name}",
        description=f"Predicted for {zero + timedelta(seconds=ahead.start_s):%Y-%m-%dT%H:%M:%SZ}.",
        seed=options.seed,
        duration_s=float(int(start_s + ahead.length_s + TAIL_S)),
        epoch_utc=epoch,
        spacecraft=SpacecraftSection(tle=tle),
        imagery=replace(base.imagery, source=options.imagery),
        ground=ground,
        timeline=(),
        expect=_EXPECTED,
    )


_EXPECTED = (
    Expectation(
        id="DLK-1",
        kind=ExpectKind.AT_END,
        value="products_lost_after_acknowledgement",
        op="==",
        limit=0.0,
        text="nothing the node freed as delivered is missing on the ground",
    ),
    Expectation(
        id="DLK-2",
        kind=ExpectKind.AT_END,
        value="products_delivered_twice",
        op="==",
        limit=0.0,
        text="nothing is delivered twice",
    ),
    Expectation(
        id="THM-1",
        kind=ExpectKind.ALWAYS,
        value="truth.die_c",
        op="<=",
        limit=85.0,
        unit="degC",
        text="the die stays below its limit",
    ),
)
