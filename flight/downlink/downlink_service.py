"""The contact loop: uplink, terminal, frames, settlement, in this order, as fast as there is need.

Hop "told" of image → ground. Outside a contact it looks up once a second; in a contact ten times;
while frames flow every ten milliseconds, giving the terminal one frame a credit and no more, so an
alarm never waits behind a full modem. Nothing is sent before the terminal has lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.settlement import settle_packet
from flight.telemetry.dictionary import Mode
from flight.wire.product_packet import LIST_MAX, Withdrawn, encode_list
from flight.wire.space_packet import Apid, encode
from flight.wire.transfer_frame import VirtualChannel
from hal.sample import HalError

if TYPE_CHECKING:
    from flight.base.clock import Clock
    from flight.downlink.contact_session import ContactSession
    from flight.downlink.downlink_parts import DownlinkParts
    from flight.wire.secure_link import Sealed

IDLE_NS = 1_000_000_000
CONTACT_NS = 100_000_000
FLOW_NS = 10_000_000
LIVE_NS = 1_000_000_000
LIVE_BYTES = 1_800
"""Live packets wait until a frame is worth its headers, or a second."""
