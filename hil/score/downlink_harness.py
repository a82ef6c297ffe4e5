"""Flies the downlink stack through a case, in slot order, and keeps the ledger outside of it.

The stack is told what the case allows at each moment: products that exist, whether the modem takes
a frame, and the reports that arrived, each made by the ground at its emission from what it held
then. Which frames arrive, which reports get through and when the node will be reset it never sees.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from flight.downlink.frame_filler import SEGMENT_OVERHEAD_BYTES
from flight.downlink.pass_plan import Contact, ContactKind, PassPlan
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import OrderConfig
from flight.downlink.queue_values import QueueConfig
from hil.score.downlink_ground import LedgerGround
from hil.score.downlink_ledger import LedgerWriter
from hil.score.downlink_stack import RESERVE_FRAMES, VCID, Content, DownlinkStack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hil.score.downlink_case import Case

POLICIES = {
    "planned": "the stack as it flies: a plan over the contacts to come",
    "density": "the same stack without a forecast: value per remaining byte",
}
CLASSES = (ProductClass.INDEX, ProductClass.MASK, ProductClass.QUICKLOOK, ProductClass.RAW)
LOOK_NS = 1_000_000_000
RELAY_RTT_NS = 100_000_000
_FAR = 1 << 62


def queue_config() -> QueueConfig:
    """A case's queue: storage is no bound in it, worth is value by the deadline and nothing else.

    So no ageing and no class floors, and what is late is kept: late bytes count as bytes.
    """
    order = OrderConfig(ageing_ns=None, floor_permille=0, send_late=True)
    return QueueConfig(budget_bytes=1 << 50, products_max=1 << 20, order=order)


class DownlinkHarness:
    """One flight of one case."""

    def __init__(self, case: Case, policy: str = "planned") -> None:
        self._case, self._policy = case, policy
        self._products = products_of(case)
        sizes = {each.product_id: each.size_bytes for each in self._products}
        self._ground = LedgerGround(VCID, sizes)
        self._plan = PassPlan(contacts_of(case))
        self._config = queue_config()
        self._stack = self._boot(1)
        self.ledger = LedgerWriter()
        self._flying: deque[tuple[int, Content]] = deque()
        self._arriving: deque[tuple[int, bytes, bytes | None]] = deque()
        self._next_product = 0
        self._reports = _reports_of(case)
        self._next_report = 0
        self._boots = sorted(int(each) for each in case.arrays["reboot_ns"])
        self._reboots = list(self._boots)
        self._done: set[int] = set()
        self._event_ns = 0

    def fly(self) -> dict[str, NDArray[Any]]:
        """The whole case; the ledger's arrays."""
        case = self._case
        for index in range(case.passes):
            self._contact(index)
        self._take_reports(_FAR)
        self._collect()
        return self.ledger.arrays(case)

    def _boot(self, first_frame_no: int) -> DownlinkStack:
        planned = self._policy == "planned"
        return DownlinkStack(self._config, self._plan, first_frame_no, look_ahead=planned)

    def _contact(self, index: int) -> None:
        case = self._case
        first, end = int(case.starts[index]), int(case.starts[index + 1])
        slots = max(1, LOOK_NS // case.head.slot_ns)
        contact = self._plan.active(int(case.slot_time_ns[first]))
        lock_share = rate = 0.0
        for block in range(first, end, slots):
            until = min(block + slots, end)
            now_ns = int(case.slot_time_ns[block])
            self._happen(now_ns)
            self._stack.look(contact, now_ns, lock_share, rate)
            self._second(index, block, until)
            lock_share = float(case.usable[block:until].mean())
            rate = float(case.capacity[block:until].mean()) / case.head.payload_bytes
        end_ns = int(case.slot_time_ns[end - 1]) + case.head.slot_ns
        following = self._plan.active(end_ns)
        if following is None or following == contact:
            self._happen(end_ns)
            self._stack.look(None, end_ns, lock_share, rate)

    def _second(self, index: int, block: int, until: int) -> None:
        """One second of slots in which the modem may take frames."""
        case, ledger, flying = self._case, self.ledger, self._flying
        good, capacity, times = case.good, case.capacity, case.slot_time_ns
        arrives_after_ns = case.head.slot_ns + case.head.down_ns
        first = int(case.starts[index])
        for slot in (np.flatnonzero(case.usable[block:until]) + block).tolist():
            now_ns = int(times[slot])
            if now_ns >= self._event_ns:
                self._happen(now_ns)
            content = self._stack.frame(now_ns, int(capacity[slot]))
            if content is None:
                continue
            ledger.frame(index, slot - first, content.segments)
            if good[slot]:
                flying.append((now_ns + arrives_after_ns, content))

    def _happen(self, now_ns: int) -> None:
        """Everything that is due: products made, reports emitted and taken, resets."""
        head = self._case.head
        while self._reboots and self._reboots[0] <= now_ns:
            self._reset(self._reboots.pop(0) + head.boot_ns)
        self._take_reports(now_ns)
        while self._next_product < len(self._products):
            product = self._products[self._next_product]
            if product.created_ns > now_ns:
                break
            self._next_product += 1
            self._offer(product, now_ns)
        following = [_FAR if not self._reboots else self._reboots[0]]
        if self._next_product < len(self._products):
            following.append(self._products[self._next_product].created_ns)
        if self._next_report < len(self._reports):
            following.append(self._reports[self._next_report][0])
        self._event_ns = min(following)

    def _offer(self, product: Product, now_ns: int) -> None:
        admission = self._stack.queue.offer(product, max(now_ns, product.created_ns))
        if admission.superseded is not None:
            self.ledger.dropped(admission.superseded, product.created_ns)
            self._done.add(admission.superseded)
            self._stack.arq.forget((admission.superseded,))

    def _take_reports(self, now_ns: int) -> None:
        """Reports in order of arrival; each says what the ground held at its emission."""
        reports, flying, ground = self._reports, self._flying, self._ground
        while self._next_report < len(reports) and reports[self._next_report][0] <= now_ns:
            arrive_ns, emit_ns = reports[self._next_report]
            self._next_report += 1
            while flying and flying[0][0] <= emit_ns:
                _, content = flying.popleft()
                ground.arrived(content.frame_no, content.segments, content.freed, content.request)
            if not self._stack_is_up(arrive_ns):
                continue
            report, answer = ground.report(self._case.head.report_max_bytes)
            self._stack.on_report(report, answer, arrive_ns)

    def _stack_is_up(self, at_ns: int) -> bool:
        """Reports that arrive while the node is down are lost with it."""
        boot_ns = self._case.head.boot_ns
        return not any(boot <= at_ns < boot + boot_ns for boot in self._boots)

    def _reset(self, up_ns: int) -> None:
        """Power is cut: queue and ARQ are gone; products and the yields of contacts are durable."""
        self._collect()
        sending = self._stack.sending
        held = [
            each
            for each in self._products[: self._next_product]
            if each.product_id not in self._done
        ]
        learned = self._plan.experience()
        self._plan = PassPlan(contacts_of(self._case))
        self._plan.restore(learned)
        self._stack = self._boot(self._stack.next_frame_no + RESERVE_FRAMES)
        self._stack.recover(held, sending, up_ns)

    def _collect(self) -> None:
        for product_id, at_ns in self._stack.completed:
            self.ledger.acknowledged(product_id, at_ns)
            self._done.add(product_id)
        self._stack.completed.clear()


def products_of(case: Case) -> list[Product]:
    """The products in order of creation."""
    arrays = case.arrays
    products = []
    for index in np.argsort(arrays["created_ns"], kind="stable").tolist():
        deadline_ns, older = int(arrays["deadline_ns"][index]), int(arrays["supersedes"][index])
        products.append(
            Product(
                product_id=index,
                klass=CLASSES[int(arrays["cls"][index])],
                size_bytes=int(arrays["size"][index]),
                value_millis=int(arrays["value"][index]),
                deadline_ns=None if deadline_ns < 0 else deadline_ns,
                created_ns=int(arrays["created_ns"][index]),
                crc32c=0,
                name=f"p{index}",
                supersedes=older if older >= 0 else None,
            )
        )
    return products


def contacts_of(case: Case) -> list[Contact]:
    """The contact plan, as it is uploaded: starts, lengths and the line rate."""
    head = case.head
    relay = head.down_ns + head.up_ns >= RELAY_RTT_NS
    payload = head.payload_bytes - SEGMENT_OVERHEAD_BYTES
    return [
        Contact(
            contact_id=index + 1,
            peer_id=index + 1,
            kind=ContactKind.RELAY if relay else ContactKind.OGS,
            start_ns=int(start_ns),
            end_ns=int(start_ns) + int(slots) * head.slot_ns,
            rate_bps=payload * 8e9 / head.slot_ns,
        )
        for index, (start_ns, slots) in enumerate(
            zip(case.arrays["pass_t0_ns"], case.arrays["pass_slots"], strict=True)
        )
    ]


def _reports_of(case: Case) -> list[tuple[int, int]]:
    """(arrival, emission) of the reports that arrive, in order of arrival."""
    arrive, emit = case.arrays["rep_arrive_ns"], case.arrays["rep_emit_ns"]
    rows = np.flatnonzero(arrive >= 0)
    rows = rows[np.argsort(arrive[rows], kind="stable")]
    return list(zip(arrive[rows].tolist(), emit[rows].tolist(), strict=True))
