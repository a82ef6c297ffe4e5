"""The node's limits and recoveries, as data: what is watched, and what is done about it.

Conditions are named by the limits (`die.red`, `battery.stale`, ...), by the health of components
(`health.downlink.stalled`, `health.inference.faulty`) and by what drifts from its target
(`drift.laser`: its switch reads back as on; `drift.beam`: the terminal draws what only a lit one
draws). Three more come from the executive: `sensors.lost` (no snapshot for ten cycles),
`guard.tripped` (the dead-man has acted while the software stood still, and holds payload and laser
off) and `command_loss`. Entering SAFE is always one of these rows; leaving it is the operator's,
and only while none of them holds.
"""

from __future__ import annotations

from flight.fdir.command_loss import CONDITION as COMMAND_LOSS
from flight.fdir.limit_row import Limit
from flight.fdir.recovery_row import Action, Recovery, Retry

SENSORS_LOST = "sensors.lost"
GUARD_TRIPPED = "guard.tripped"
BLIND_CYCLES_MAX = 10
_STALE_NS = 5_000_000_000


def battery_limit(*, soc_safe: float, soc_floor: float) -> Limit:
    """The row whose bounds the ground may move."""
    return Limit(name="battery", channel="power.soc_estimate", low_red=soc_safe,
                 low_yellow=max(soc_floor, soc_safe), hysteresis=0.05, persistence=3,
                 stale_after_ns=_STALE_NS)  # fmt: skip


def node_limits(*, die_limit_c: float, soc_safe: float, soc_floor: float) -> tuple[Limit, ...]:
    """What is watched; bounds of the board and of the battery come from profile and parameters."""
    return (
        battery_limit(soc_safe=soc_safe, soc_floor=soc_floor),
        Limit(name="die", channel="thermal.die_c", high_yellow=die_limit_c - 3.0,
              high_red=die_limit_c, hysteresis=6.0, persistence=2, stale_after_ns=_STALE_NS),
        Limit(name="sink", channel="thermal.sink_c", high_yellow=die_limit_c - 10.0,
              high_red=die_limit_c - 5.0, hysteresis=4.0, persistence=3, stale_after_ns=_STALE_NS),
        Limit(name="cells", channel="battery.temp_c", low_red=-10.0, low_yellow=0.0,
              high_yellow=45.0, high_red=55.0, hysteresis=2.0, persistence=3,
              stale_after_ns=_STALE_NS),
        Limit(name="terminal", channel="thermal.terminal_c", low_yellow=-20.0, high_yellow=55.0,
              high_red=65.0, hysteresis=3.0, persistence=3, stale_after_ns=_STALE_NS),
    )  # fmt: skip


LIMIT_NAMES = tuple(
    limit.name for limit in node_limits(die_limit_c=100.0, soc_safe=0.0, soc_floor=0.0)
)
"""Whatever the bounds are."""
LASER_DRIFT, BEAM_DRIFT, PAYLOAD_DRIFT = "drift.laser", "drift.beam", "drift.payload"
_NS_PER_S = 1_000_000_000

RECOVERIES: tuple[Recovery, ...] = (
    Recovery(name="die too hot", condition="die.red", precedence=1,
             actions=(Action.SHED_PAYLOAD, Action.ENTER_SAFE)),
    Recovery(name="battery low", condition="battery.red", precedence=2,
             actions=(Action.SHED_PAYLOAD, Action.LASER_OFF, Action.ENTER_SAFE)),
    Recovery(name="cells out of range", condition="cells.red", precedence=3,
             actions=(Action.SHED_PAYLOAD, Action.ENTER_SAFE)),
    Recovery(name="sensors lost", condition=SENSORS_LOST, precedence=4,
             actions=(Action.SHED_PAYLOAD, Action.LASER_OFF, Action.ENTER_SAFE)),
    Recovery(name="software stood still", condition=GUARD_TRIPPED, precedence=5,
             actions=(Action.SHED_PAYLOAD, Action.LASER_OFF, Action.ENTER_SAFE)),
    Recovery(name="laser does not obey", condition=LASER_DRIFT, precedence=6,
             actions=(Action.LASER_OFF, Action.ENTER_SAFE)),
    # One sensor must not cost the ground its node: the link stays, within its contacts.
    Recovery(name="beam should be dark", condition=BEAM_DRIFT, precedence=7,
             actions=(Action.ENTER_SAFE,)),
    Recovery(name="payload does not obey", condition=PAYLOAD_DRIFT, precedence=8,
             actions=(Action.SHED_PAYLOAD, Action.ENTER_SAFE)),
    Recovery(name="terminal too hot", condition="terminal.red", clear="terminal.yellow",
             precedence=9, actions=(Action.LASER_OFF,)),
    Recovery(name="die not measured", condition="die.stale", precedence=10,
             actions=(Action.SHED_PAYLOAD,)),
    Recovery(name="sink not measured", condition="sink.stale", precedence=11,
             actions=(Action.SHED_PAYLOAD,)),
    Recovery(name="battery not measured", condition="battery.stale", precedence=12,
             actions=(Action.SHED_PAYLOAD,)),
    Recovery(name="sink too hot", condition="sink.red", precedence=13,
             actions=(Action.SHED_PAYLOAD,)),
    Recovery(name="link stands still", condition="health.downlink.stalled", precedence=14,
             restart="downlink", escalates_to="link lost",
             retry=Retry(times=3, within_ns=600 * _NS_PER_S)),
    Recovery(name="link lost", condition="health.downlink.faulty", precedence=15,
             actions=(Action.ENTER_SAFE,)),
    Recovery(name="telemetry lost", condition="health.telemetry.stalled", precedence=16,
             actions=(Action.ENTER_SAFE,)),
    Recovery(name="inference stands still", condition="health.inference.stalled", precedence=17,
             restart="inference", escalates_to="inference lost",
             retry=Retry(times=3, within_ns=1_800 * _NS_PER_S)),
    Recovery(name="inference lost", condition="health.inference.faulty", precedence=18,
             actions=(Action.SHED_PAYLOAD,)),
    Recovery(name="ground silent", condition=COMMAND_LOSS, precedence=19,
             actions=(Action.ENTER_SAFE,)),
)  # fmt: skip
