"""The radio link of the node: numbers and window of its own, counters and products shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.commanding.authentication import UplinkAuthenticator
from flight.composition.downlink import uploaded_plan
from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import ArqConfig
from flight.downlink.durable_counters import replay_window
from flight.downlink.frame_filler import FrameFiller
from flight.downlink.radio_link import RadioLink
from flight.keys import Half
from flight.wire.secure_link import SecureLink
from flight.wire.transfer_frame import RADIO

if TYPE_CHECKING:
    from flight.commanding.uplink_service import UplinkService
    from flight.composition.downlink import DownlinkParts
    from flight.composition.surroundings import Shared
    from flight.downlink.pass_plan import PassPlan
    from flight.downlink.settlement import Settlement
    from hal.protocols import FrameModem

STORE_EVERY = 16
"""Accepted frames between two writes of the window's high mark: a radio brings few."""

PROBE_NS = 1_000_000_000
"""Reports come by radio about as often."""


@dataclass(frozen=True, slots=True)
class RadioParts:
    """What outlives a restart of the downlink service."""

    modem: FrameModem
    plan: PassPlan
    secured: SecureLink
    arq: ArqSender
    light: ArqSender

    def link(self, shared: Shared, parts: DownlinkParts, uplink: UplinkService) -> RadioLink:
        """The link, for one life of the service that steps it."""
        around = shared.around
        config = around.config.links
        return RadioLink(
            modem=self.modem,
            plan=self.plan,
            names={each.contact_id: each.peer_name for each in around.config.contacts},
            link=self.secured,
            authenticator=UplinkAuthenticator(self.secured, uplink.ledger),
            filler=FrameFiller(
                parts.queue,
                self.arq,
                around.store,
                shared.sequence,
                self.secured.packets_bytes_max,
                urgent=config.radio_carries == "urgent",
            ),
            arq=self.arq,
            light=self.light,
            settlement=parts.settlement,
            uplink=uplink,
            config=config,
            lives=parts.lives,
            channels=shared.channels,
            events=shared.events,
        )


def radio_parts(
    shared: Shared, light: SecureLink, settlement: Settlement, arq: ArqSender
) -> RadioParts:
    """Links that share keys share the counter of their nonces; everything else is the radio's."""
    around = shared.around
    config = around.config.links
    assert around.radio is not None, "asked for a radio link where there is a modem"
    secured = SecureLink(
        scid=around.config.link.spacecraft_id,
        sends=around.keys.sends(Half.NODE),
        receives=[around.keys.receives(Half.NODE)],
        counters=light.counters,
        frame_bytes_max=config.radio_frame_bytes,
        window=replay_window(around.store, "radio.uplink", store_every=STORE_EVERY),
        channels=RADIO,
    )
    bounds = ArqConfig(window_frames=config.radio_window_frames, probe_ns=PROBE_NS)
    sender = ArqSender(RADIO.products, bounds, arq.products)
    settlement.senders[sender.vcid] = sender
    plan = uploaded_plan(around, around.clock.now_ns(), radio=True)
    return RadioParts(around.radio, plan, secured, sender, arq)
