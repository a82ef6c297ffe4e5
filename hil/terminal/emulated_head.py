"""The optics of an emulated terminal: a peer that rises and sets, and the channel of the plant.

Acquisition is hil/plant/terminal.py, fading hil/plant/optical_channel.py, both as on the bench; the
mount, the temperatures and the faults are this terminal's own. Pure of time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hal.sample import TermFlag
from hal.terminal_registers import TermFault, TermRegister
from hil.plant.optical_channel import ChannelConfig, ContactGeometry, ContactTrace
from hil.plant.terminal import TerminalModel
from hil.terminal.far_side import SilentPeer
from hil.terminal.head_faults import FaultKind, FaultPlan
from hil.terminal.mount_and_heat import (
    IDLE_W,
    LASER_W,
    POINTING_W,
    RATED_OPTICAL_MW,
    Heat,
    Mount,
)
from hil.terminal.terminal_core import Identity, Sight, Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.terminal.far_side import FarSide

_T = TermRegister
_NS_PER_S = 1_000_000_000
UPLINK_BPS = 1e6
NOTHING_MDBM = -90_000
RANGE_KM, ELEVATION_DEG = 900.0, 50.0
PERMILLE_LEAST = 1


@dataclass(frozen=True, slots=True)
class Sky:
    """When a peer is in view, and how good the link is; seconds since the start."""

    peer_id: int = 1
    first_s: float = 0.0
    for_s: int = 300
    every_s: float = 0.0
    """From one rise to the next; 0: once."""
    rate_bps: float = 10e6
    margin_db: float = 12.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse a sky in which nothing can rise, or a peer that rises before it has set."""
        if not 1 <= self.peer_id <= 65535:
            raise ValueError(f"peer {self.peer_id}: allowed is 1 to 65535")
        if not 1 <= self.for_s <= 900:
            raise ValueError(f"seconds in view {self.for_s}: allowed is 1 to 900")
        if self.every_s and self.every_s <= self.for_s:
            raise ValueError(f"seconds between rises {self.every_s}: more than those in view")


class _Contact:
    """One rise of the peer: its channel, its acquisition, its line."""

    def __init__(self, sky: Sky, number: int, start_ns: int) -> None:
        seconds = sky.for_s + 1
        geometry = ContactGeometry(
            start_ns / _NS_PER_S, (RANGE_KM,) * seconds, (ELEVATION_DEG,) * seconds
        )
        config = ChannelConfig(margin_db=sky.margin_db, reference_km=RANGE_KM)
        self.trace = ContactTrace(config, geometry, np.random.SeedSequence((sky.seed, number)))
        self.model = TerminalModel(self.trace)
        self.end_ns = start_ns + sky.for_s * _NS_PER_S
        self.line_free_ns = start_ns
        self.seen_ns = start_ns
        self.up_free_ns = start_ns
        self.down_index = 0
        self.up_index = 0
        self.on_the_way: list[tuple[int, bytes]] = []


@dataclass(slots=True)
class LightCounters:
    """Fate of the frames between the two ends of the light."""

    down_lost: int = 0
    up_lost: int = 0


class EmulatedHead:
    """A `Head` whose optics are the plant's."""

    def __init__(
        self,
        sky: Sky,
        start_ns: int,
        *,
        identity: Identity | None = None,
        faults: FaultPlan | None = None,
        far_side: FarSide | None = None,
    ) -> None:
        self.identity = identity or Identity()
        self.light = LightCounters()
        self.far_side = far_side or SilentPeer()
        self._sky = sky
        self._start_ns = start_ns
        self._faults = faults or FaultPlan(start_ns=start_ns)
        self._mount = Mount()
        self._heat = Heat()
        self._contact: _Contact | None = None
        self._rises = 0
        self._power_w = IDLE_W
        # Of the contacts that are over, less what was there at the last reset.
        self._locks = self._losses = 0

    def step(self, told: Told, take: Callable[[], bytes | None], now_ns: int) -> Sight:
        """See `Head`."""
        broken = self._faults.active(now_ns)
        contact = self._rise_and_set(now_ns)
        axes = (told.azimuth_udeg, told.elevation_udeg)
        stuck = FaultKind.MOUNT_STUCK in broken
        self._mount.step(told.target_id, axes, now_ns, stuck=stuck)
        emits = told.laser_on and FaultKind.LASER not in broken and not self._heat.too_hot
        permille = max(told.tx_power_permille, PERMILLE_LEAST) if emits else 0
        self._warm(told, emits=emits, heater=FaultKind.OVERHEAT in broken, now_ns=now_ns)
        readings = self._readings(permille)
        received: list[bytes] = []
        flags = int(TermFlag.TX) if emits else 0
        if contact is not None:
            sees = FaultKind.DETECTOR not in broken
            pointed = self._mount.looks_at(now_ns) == self._sky.peer_id
            if emits:
                contact.trace.down.disturb(extra_db=-10.0 * math.log10(permille / 1000.0))
            flags = contact.model.step(now_ns, pointed and sees, emits)
            if pointed and sees:
                readings[_T.RX_POWER_MDBM] = round(contact.trace.rx_power_dbm(now_ns) * 1000.0)
            if contact.model.in_sync:
                self._down(contact, take, now_ns)
                received = self._up(contact, now_ns)
            readings[_T.LOCK_COUNT] += contact.model.locks
            readings[_T.LOCK_LOSSES] += contact.model.losses
        readings[_T.FLAGS] = flags
        return Sight(readings, self._fault_bits(broken), received)

    def reset(self, now_ns: int) -> None:
        """See `Head`."""
        del now_ns
        model = None if self._contact is None else self._contact.model
        self._locks = 0 if model is None else -model.locks
        self._losses = 0 if model is None else -model.losses

    def silent(self, now_ns: int) -> bool:
        """Whether the terminal shall neither hear nor answer now."""
        return FaultKind.SILENCE in self._faults.active(now_ns)

    def _rise_and_set(self, now_ns: int) -> _Contact | None:
        sky, contact = self._sky, self._contact
        if contact is not None and now_ns >= contact.end_ns:
            self._locks += contact.model.locks
            self._losses += contact.model.losses
            self._contact = contact = None
        rise_s = sky.first_s + self._rises * sky.every_s
        rise_ns = self._start_ns + round(rise_s * _NS_PER_S)
        again = self._rises == 0 or sky.every_s > 0
        if contact is None and again and now_ns >= rise_ns:
            self._rises += 1
            if now_ns < rise_ns + sky.for_s * _NS_PER_S:
                self._contact = _Contact(sky, self._rises, rise_ns)
        return self._contact

    def _warm(self, told: Told, *, emits: bool, heater: bool, now_ns: int) -> None:
        electronics_w = POINTING_W if told.target_id else IDLE_W
        self._power_w = electronics_w + (LASER_W if emits else 0.0)
        self._heat.step(LASER_W if emits else 0.0, electronics_w, now_ns, heater=heater)

    def _readings(self, permille: int) -> dict[TermRegister, int]:
        return {
            _T.LINE_RATE_KBPS: round(self._sky.rate_bps / 1000.0),
            _T.RX_POWER_MDBM: NOTHING_MDBM,
            _T.TX_POWER_MW: RATED_OPTICAL_MW * permille // 1000,
            _T.AZIMUTH_NOW_UDEG: self._mount.azimuth_udeg,
            _T.ELEVATION_NOW_UDEG: self._mount.elevation_udeg,
            _T.LOCK_COUNT: self._locks,
            _T.LOCK_LOSSES: self._losses,
            _T.LASER_MDEGC: self._heat.laser_mdegc,
            _T.ELECTRONICS_MDEGC: self._heat.electronics_mdegc,
            _T.POWER_MW: round(self._power_w * 1000.0),
        }

    def _fault_bits(self, broken: frozenset[FaultKind]) -> int:
        return (
            (TermFault.LASER if FaultKind.LASER in broken else 0)
            | (TermFault.DETECTOR if FaultKind.DETECTOR in broken else 0)
            | (TermFault.MOUNT if FaultKind.MOUNT_STUCK in broken else 0)
            | (TermFault.OVERHEAT if self._heat.too_hot else 0)
        )

    def _down(self, contact: _Contact, take: Callable[[], bytes | None], now_ns: int) -> None:
        """Takes from the FIFO what the line could carry; an idle line saves nothing up."""
        contact.line_free_ns = max(contact.line_free_ns, contact.seen_ns)
        contact.seen_ns = now_ns
        while contact.line_free_ns < now_ns:
            frame = take()
            if frame is None:
                return
            start_ns = contact.line_free_ns
            end_ns = start_ns + int(len(frame) * 8 * _NS_PER_S / self._sky.rate_bps)
            contact.line_free_ns = end_ns
            good = contact.trace.downlink_frame_ok(contact.down_index, start_ns, end_ns)
            contact.down_index += 1
            if good:
                self.far_side.on_frame(frame, now_ns)
            else:
                self.light.down_lost += 1

    def _up(self, contact: _Contact, now_ns: int) -> list[bytes]:
        """What the peer sends, each frame when its last bit is here."""
        for frame in self.far_side.uplink(now_ns):
            start_ns = max(contact.up_free_ns, now_ns)
            end_ns = start_ns + int(len(frame) * 8 * _NS_PER_S / UPLINK_BPS)
            contact.up_free_ns = end_ns
            contact.up_index += 1
            if contact.trace.uplink_frame_ok(contact.up_index, start_ns, end_ns):
                contact.on_the_way.append((end_ns, frame))
            else:
                self.light.up_lost += 1
        here = [frame for at_ns, frame in contact.on_the_way if at_ns <= now_ns]
        contact.on_the_way = [each for each in contact.on_the_way if each[0] > now_ns]
        return here
