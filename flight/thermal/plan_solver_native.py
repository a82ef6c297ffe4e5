"""The planner's solver in C (native/include/plan.h): values in, one plan out, no state between.

Memory for the longest plan is taken once; a call copies numbers in and reads the first slots out.
What lies between the two is one call into C that touches nothing else and lets the interpreter go
on: `Steps` hand it out, so that whoever has a loop to keep free runs it on a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from hal.native_library import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flight.thermal.heat_network import Reduction
    from flight.thermal.node_model import NodeModel

T = TypeVar("T")
Steps: TypeAlias = Generator[Callable[[], int], int, T]
"""Work that is done in between, wherever whoever drives it likes; it is sent what that returned."""
SLOTS_READ = 8
"""The plan is made anew long before more of its slots have passed."""
NEGLIGIBLE = 2e-3
"""Less of a slot than this is the solver's remainder and no decision."""


@dataclass(frozen=True, slots=True)
class Margins:
    """How far inside its limits the plan stays; the guard uses what is left.

    Attributes:
        temp_k: under each node's limit.
        energy_j: above the battery's floor.
        store_share: of the store that the plan fills at most.
    """

    temp_k: float = 0.3
    energy_j: float = 300.0
    store_share: float = 0.98


@dataclass(slots=True)
class SlotInput:
    """One slot as the solver sees it; units as in native/include/plan.h."""

    length_s: float
    surplus_w: float
    arrivals: Sequence[float]
    link_bits: float
    link_bps: float
    worth: float
    slow_heat_w: Sequence[float]
    slow_limit_k: Sequence[float]
    fast_k: Sequence[float]


@dataclass(frozen=True, slots=True)
class PlanStart:
    """Where the node stands: energy, slow temperatures, frames, bits by variant and class."""

    energy_j: float
    slow_k: Sequence[float]
    waiting: Sequence[float]
    stored_bits: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What to do in one slot.

    Attributes:
        start_s, end_s: of the slot.
        work: (mode, class, share of the time), in order of value a second.
        link_share: of the time the link exists, in which to send.
    """

    start_s: float
    end_s: float
    work: tuple[tuple[int, int, float], ...]
    link_share: float


@dataclass(frozen=True, slots=True)
class Prices:
    """What a little more would be worth now, in units of value.

    Attributes:
        joule: of energy in the battery.
        link_mbit: of link, in the contact that is open or comes next.
        heat_j: of heat less in the slow node that binds most.
        second: of payload time.
    """

    joule: float
    link_mbit: float
    heat_j: float
    second: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The first slots of a plan, its prices, and how sure the solver is.

    Attributes:
        value: expected to be delivered until the horizon.
        accurate: the solver reached its tolerance.
        iterations: it took.
        bought_j, bought_heat_j: what would be needed beyond the limits; 0 when it keeps them.
    """

    slots: tuple[SlotPlan, ...]
    prices: Prices
    value: float
    accurate: bool
    iterations: int
    bought_j: float
    bought_heat_j: float

    def slot_at(self, now_s: float) -> SlotPlan | None:
        """The slot that `now_s` lies in; None past those read."""
        return next((s for s in self.slots if s.start_s <= now_s < s.end_s), None)


def on_the_spot(steps: Steps[T]) -> T:
    """All of it here and now."""
    try:
        work = next(steps)
        while True:
            work = steps.send(work())
    except StopIteration as end:
        result: T = end.value
        return result


class PlanSolver:
    """Plans for one node."""

    def __init__(
        self, model: NodeModel, network: Reduction, margins: Margins, slots_max: int
    ) -> None:
        self._model = model
        self._node = ffi.new("struct plan_node *")
        self._start = ffi.new("struct plan_start *")
        self._outcome = ffi.new("struct plan_outcome *")
        self._slots = ffi.new("struct plan_slot[]", slots_max)
        self._shares = ffi.new("struct plan_share[]", slots_max)
        self._slots_max = slots_max
        self._network = network
        _check_counts(model, network)
        _describe(self._node, model, network, margins)
        scratch = lib.plan_scratch_bytes(self._node, slots_max)
        if scratch < 0:
            raise ValueError("a battery or an end price that the planner cannot take")
        self._scratch_bytes = scratch
        self._scratch = ffi.new("double[]", scratch // 8 + 1)

    def aim(self, energy_end_j: float, value: Mapping[tuple[int, int], float]) -> None:
        """Energy wanted at the horizon, and values of results by (variant, class)."""
        self._node.energy_end_j = energy_end_j
        for (v, c), worth in value.items():
            self._node.value[v][c] = worth

    def solving(
        self, start: PlanStart, slots: Sequence[SlotInput], edges: Sequence[float],
        radiance_w_k4: Sequence[float], rate_scale: float,
    ) -> Steps[Plan | None]:  # fmt: skip
        """The plan, or None when the numbers are no problem to solve (not finite, too many).

        One at a time: the memory is that of one plan.
        """
        if not 1 <= len(slots) <= self._slots_max:
            return None
        node = self._node
        for m, mode in enumerate(self._model.modes):
            for c, fps in enumerate(mode.frames_per_s):
                node.frames_per_s[m][c] = fps * rate_scale
        self._put_start(start)
        for slot, put in zip(self._slots, slots, strict=False):
            _put_slot(slot, put, radiance_w_k4)
        status = yield partial(
            lib.plan_make, node, self._start, self._slots, len(slots), self._shares, self._outcome,
            self._scratch, self._scratch_bytes,
        )  # fmt: skip
        return None if status == lib.LP_E_RANGE else self._read(slots, edges, status)

    def _put_start(self, start: PlanStart) -> None:
        self._start.energy_j = start.energy_j
        self._start.slow_k[0 : len(start.slow_k)] = start.slow_k
        for i, temp_k in enumerate(start.slow_k):
            limit_k = self._node.slow_limit_k[i]
            self._node.radiance_at_k[i] = min(max(temp_k, limit_k - 12.0), limit_k)
        self._start.waiting[0 : len(start.waiting)] = start.waiting
        for row, bits in zip(self._start.stored_bits, start.stored_bits, strict=False):
            row[0 : len(bits)] = bits

    def _read(self, slots: Sequence[SlotInput], edges: Sequence[float], status: int) -> Plan:
        read = []
        for i in range(min(SLOTS_READ, len(slots))):
            work, sent_bits = self._work(self._shares[i]), self._sent_bits(self._shares[i])
            link = sent_bits / slots[i].link_bits if slots[i].link_bits > 0.0 else 0.0
            read.append(SlotPlan(edges[i], edges[i + 1], work, min(link, 1.0)))
        first, outcome = self._shares[0], self._outcome
        heat = [first.price_per_slow_j[i] for i in range(len(self._network.slow))]
        return Plan(
            slots=tuple(read),
            prices=Prices(
                first.price_per_j, self._link_price(slots) * 1e6, max(heat), first.price_per_s
            ),
            value=outcome.value,
            accurate=status == lib.LP_OPTIMAL,
            iterations=outcome.solver.iterations,
            bought_j=outcome.bought_j,
            bought_heat_j=outcome.bought_heat_j,
        )

    def _link_price(self, slots: Sequence[SlotInput]) -> float:
        """Of a bit; a slot without a contact has none, whatever its row's dual says."""
        linked = (i for i, slot in enumerate(slots) if slot.link_bits > 0.0)
        first = next(linked, None)
        return 0.0 if first is None else float(self._shares[first].price_per_link_bit)

    def _work(self, share: Any) -> tuple[tuple[int, int, float], ...]:
        found = []
        for m, mode in enumerate(self._model.modes):
            for c, fps in enumerate(mode.frames_per_s):
                part = share.work[m][c]
                if fps > 0.0 and part > NEGLIGIBLE:
                    found.append((self._model.classes[c].value[mode.variant] * fps, m, c, part))
        found.sort(reverse=True)
        return tuple((m, c, part) for _, m, c, part in found)

    def _sent_bits(self, share: Any) -> float:
        variants, classes = range(self._model.variant_count), range(len(self._model.classes))
        return sum((float(share.sent_bits[v][c]) for v in variants for c in classes), 0.0)


def _put_slot(slot: Any, put: SlotInput, radiance_w_k4: Sequence[float]) -> None:
    slot.length_s = put.length_s
    slot.surplus_w = put.surplus_w
    slot.arrivals[0 : len(put.arrivals)] = put.arrivals
    slot.link_bits = put.link_bits
    slot.link_bps = put.link_bps
    slot.worth = put.worth
    slot.slow_heat_w[0 : len(put.slow_heat_w)] = put.slow_heat_w
    slot.slow_limit_k[0 : len(put.slow_limit_k)] = put.slow_limit_k
    slot.slow_radiance[0 : len(radiance_w_k4)] = radiance_w_k4
    slot.fast_k[0 : len(put.fast_k)] = put.fast_k


def _check_counts(model: NodeModel, network: Reduction) -> None:
    for what, count, most in (
        ("modes", len(model.modes), lib.PLAN_MODES_MAX),
        ("classes", len(model.classes), lib.PLAN_CLASSES_MAX),
        ("variants", model.variant_count, lib.PLAN_VARIANTS_MAX),
        ("slow heat nodes", len(network.slow), lib.PLAN_SLOW_MAX),
        ("fast heat nodes", len(network.fast), lib.PLAN_FAST_MAX),
    ):
        if count > most:
            raise ValueError(f"{count} {what}: the planner takes up to {most}")


def _describe(node: Any, model: NodeModel, network: Reduction, margins: Margins) -> None:
    """Fills `struct plan_node`."""
    battery = model.battery
    node.mode_count, node.variant_count = len(model.modes), model.variant_count
    node.class_count = len(model.classes)
    node.slow_count, node.fast_count = len(network.slow), len(network.fast)
    node.store_bits_max = model.store_bits_max * margins.store_share
    node.link_w = model.link_w
    node.energy_floor_j = battery.energy_floor_j + margins.energy_j
    node.energy_max_j = battery.energy_max_j
    node.energy_end_j, node.end_price_per_j = model.energy_end_j, model.end_price_per_j
    node.charge_efficiency = battery.charge_efficiency
    node.discharge_efficiency = battery.discharge_efficiency
    node.charge_w_max, node.discharge_w_max = battery.charge_w_max, battery.discharge_w_max
    for m, mode in enumerate(model.modes):
        above = [heat - idle for heat, idle in zip(mode.heat_w, model.idle_heat_w, strict=True)]
        node.mode_variant[m], node.mode_w[m] = mode.variant, mode.watts - model.idle_w
        slow_w, fast_k = network.slow_heat_w(above), network.fast_rise_k(above)
        node.mode_slow_w[m][0 : len(slow_w)] = slow_w
        node.mode_fast_k[m][0 : len(fast_k)] = fast_k
    for c, frames in enumerate(model.classes):
        node.frames_max[c] = frames.frames_max
        for v in range(model.variant_count):
            node.value[v][c], node.result_bits[v][c] = frames.value[v], frames.result_bits[v]
    link_slow_w = network.slow_heat_w(model.link_heat_w)
    for i, index in enumerate(network.slow):
        node.slow_capacity_j_k[i] = model.nodes[index].capacity_j_k
        node.slow_limit_k[i] = model.nodes[index].limit_k - margins.temp_k
        node.slow_link_w_k[i][0 : len(network.slow)] = network.slow_link[i]
        node.link_slow_w[i] = link_slow_w[i]
    for i, index in enumerate(network.fast):
        node.fast_limit_k[i] = model.nodes[index].limit_k - margins.temp_k
        node.fast_from_slow[i][0 : len(network.slow)] = network.fast_from_slow[i]
