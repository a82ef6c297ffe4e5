"""An emulated terminal's optics: rise, acquisition, frames both ways, faults; in virtual time."""

from __future__ import annotations

import pytest

from hal.sample import TermFlag
from hal.terminal_registers import TERM_RESET_KEY, TermFault, TermRegister, from_word
from hil.terminal.emulated_head import EmulatedHead, Sky
from hil.terminal.far_side import MirrorPeer
from hil.terminal.head_faults import FaultPlan, parse_fault
from hil.terminal.terminal_core import Identity, TerminalCore

R = TermRegister
S = 1_000_000_000
START = 1_000 * S
SKY = Sky(peer_id=7, first_s=2.0, for_s=60, rate_bps=1e6, margin_db=20.0)


class Rig:
    """A terminal and its clock; `run` steps it every 10 ms."""

    def __init__(self, sky: Sky = SKY, *faults: str, identity: Identity | None = None) -> None:
        self.mirror = MirrorPeer()
        plan = FaultPlan(tuple(parse_fault(each) for each in faults), START)
        self.head = EmulatedHead(sky, START, identity=identity, faults=plan, far_side=self.mirror)
        self.core = TerminalCore(self.head, START)
        self.now_ns = START
        self.flags: list[int] = []

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.now_ns += S // 100
            self.core.heard(self.now_ns)
            self.core.step(self.now_ns)
            self.flags.append(self.reg(R.FLAGS) or 0)

    def reg(self, register: TermRegister) -> int | None:
        words = self.core.read(register, 1, self.now_ns)
        assert isinstance(words, list)
        return from_word(register, words[0])

    def write(self, register: TermRegister, value: int) -> None:
        assert self.core.write(register, value, self.now_ns) is None

    def light_up(self) -> None:
        self.write(R.TARGET_ID, 7)
        self.write(R.LASER_ENABLE, 1)


def test_nothing_is_seen_before_the_peer_rises_nor_without_pointing() -> None:
    rig = Rig()
    rig.run(30.0)
    assert set(rig.flags) == {0}
    assert rig.reg(R.RX_POWER_MDBM) == -90_000
    rig = Rig()
    rig.write(R.TARGET_ID, 6)
    rig.run(30.0)
    assert set(rig.flags) == {0}


def test_acquisition_comes_in_order_and_ends_with_the_contact() -> None:
    rig = Rig()
    rig.light_up()
    rig.run(61.0)
    tx, beacon, coarse = TermFlag.TX, TermFlag.BEACON, TermFlag.COARSE
    fine = beacon | coarse | TermFlag.FINE
    order = list(dict.fromkeys(rig.flags))
    assert order[:4] == [tx, tx | beacon, tx | beacon | coarse, tx | fine]
    assert tx | fine | TermFlag.SYNC in order
    assert (rig.reg(R.LOCK_COUNT) or 0) >= 1
    rig.run(3.0)
    assert rig.flags[-1] == tx, "the peer has set"
    assert (rig.reg(R.LOCK_COUNT) or 0) >= 1


def test_the_same_seed_gives_the_same_contact_and_another_one_another() -> None:
    def seen(seed: int) -> list[int]:
        rig = Rig(Sky(peer_id=7, for_s=40, seed=seed, margin_db=4.0))
        rig.light_up()
        rig.run(40.0)
        return rig.flags

    assert seen(3) == seen(3)
    assert seen(3) != seen(4)


def test_frames_leave_at_line_rate_and_come_back_from_a_mirror() -> None:
    rig = Rig(identity=Identity(tx_fifo_frames=16))
    rig.light_up()
    while not rig.flags or not rig.flags[-1] & TermFlag.SYNC:
        rig.run(0.1)
    for index in range(16):
        assert rig.core.submit(bytes([index]) * 1250)  # 10 ms each at 1 Mbit/s
    rig.run(0.05)
    assert 3 <= (rig.reg(R.TX_FRAMES) or 0) <= 8
    rig.run(2.0)
    assert rig.reg(R.TX_FRAMES) == 16
    heard = rig.mirror.frames
    assert heard + rig.head.light.down_lost == 16
    assert len(rig.core.received) + rig.head.light.up_lost == heard
    assert all(frame == bytes([frame[0]]) * 1250 for frame in rig.core.received)


def test_without_lock_no_frame_leaves() -> None:
    rig = Rig()
    rig.write(R.LASER_ENABLE, 1)
    assert rig.core.submit(b"waits")
    rig.run(30.0)
    assert rig.reg(R.TX_FRAMES) == 0


@pytest.mark.parametrize(
    ("fault", "bit"),
    [
        ("mount-stuck@0", TermFault.MOUNT),
        ("detector@0", TermFault.DETECTOR),
        ("laser@0", TermFault.LASER),
    ],
)
def test_a_broken_part_is_told_and_no_link_comes_up(fault: str, bit: TermFault) -> None:
    rig = Rig(SKY, fault)
    rig.light_up()
    rig.run(50.0)
    assert rig.reg(R.FAULT) == bit
    assert not any(flags & TermFlag.SYNC for flags in rig.flags)


def test_an_overheated_terminal_goes_dark_and_recovers_when_it_is_told_anew() -> None:
    rig = Rig(Sky(peer_id=7, for_s=900, margin_db=20.0), "overheat@0+200")
    rig.light_up()
    rig.run(200.0)
    assert rig.reg(R.FAULT) == TermFault.OVERHEAT
    assert (rig.reg(R.LASER_ENABLE), rig.reg(R.TX_POWER_MW)) == (0, 0)
    rig.run(120.0)
    assert (rig.reg(R.FAULT), rig.reg(R.LASER_ENABLE)) == (0, 0)
    rig.write(R.LASER_ENABLE, 1)
    rig.run(0.1)
    assert rig.reg(R.TX_POWER_MW) == 2200


def test_less_power_is_less_light_and_a_weaker_link() -> None:
    def frames_lost(permille: int) -> int:
        rig = Rig(Sky(peer_id=7, for_s=60, rate_bps=1e6, margin_db=8.0))
        rig.light_up()
        rig.write(R.TX_POWER_PERMILLE, permille)
        for _ in range(600):
            while rig.core.tx_free:
                rig.core.submit(bytes(500))
            rig.run(0.1)
        assert rig.reg(R.TX_POWER_MW) == 2200 * permille // 1000
        return rig.head.light.down_lost

    assert frames_lost(100) > 3 * frames_lost(1000)


def test_a_peer_rises_again_and_the_locks_add_up_until_a_reset() -> None:
    rig = Rig(Sky(peer_id=7, for_s=40, every_s=50.0, margin_db=20.0))
    rig.light_up()
    rig.run(95.0)
    assert (rig.reg(R.LOCK_COUNT) or 0) >= 2
    rig.write(R.RESET, TERM_RESET_KEY)
    rig.run(0.1)
    assert (rig.reg(R.LOCK_COUNT), rig.reg(R.LOCK_LOSSES)) == (0, 0)


@pytest.mark.parametrize(
    "wrong", [{"peer_id": 0}, {"for_s": 0}, {"for_s": 901}, {"for_s": 10, "every_s": 10.0}]
)
def test_a_sky_that_cannot_be_is_refused(wrong: dict[str, int | float]) -> None:
    with pytest.raises(ValueError, match=r"allowed|more than"):
        Sky(**wrong)  # type: ignore[arg-type]
