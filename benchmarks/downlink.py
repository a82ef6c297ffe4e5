"""How much of the possible the downlink delivers, family by family, beside baselines and bound.

    python benchmarks/downlink.py [--seeds 1-3] [--families calm,low] [--load L]
    python benchmarks/downlink.py --judge DIR [--seeds 1-3] [--families clear_low]

Flies the queue and ARQ that fly through seeded cases. eta_V: value on time over what no sender
could exceed; eta_E: bytes of whole products over the most bytes. `density`, the same stack without
a forecast, is the baseline. The causes of lost value, as shares of the bound:

    order        of products the best fractional set holds whole and of which nothing was sent
    unfinished   begun, and cut off by the end of a contact or by the deadline
    feedback     sent to the last byte; what was lost of it was not sent again in time
    late         whole, after the deadline
    luck (-)     delivered although the best set leaves it out

and of lost bytes: unfinished products, headers and gaps in frames, good slots without a frame,
bytes sent twice. With --judge, an independent judge's cases, bounds, baselines and verdicts are
used (its folder holds link.py), and the product's own bounds are held against its bounds.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

# The folder of this file holds a program named like a package of the product.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from hil.score.downlink_bound import bounds  # noqa: E402
from hil.score.downlink_case import Case, CaseHead  # noqa: E402
from hil.score.downlink_families import FAMILIES, make_case  # noqa: E402
from hil.score.downlink_figures import deliveries, effective_deadlines, figures  # noqa: E402
from hil.score.downlink_harness import DownlinkHarness  # noqa: E402

BOUND_TOLERANCE = 0.01
JUDGED_BASELINES = ("density", "edf", "fifo_report_driven")


def seeds_of(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def causes(case, ledger, most):
    """Shares of the value bound, by cause."""
    delivery = deliveries(case, ledger)
    value = case.arrays["value"] / 1000
    on_time = delivery.done_ns <= effective_deadlines(case)
    whole = delivery.done_ns < 1 << 62
    gap = value * (np.array(most.lp_share) - on_time) / most.value
    missed = ~on_time & (gap > 0)
    begun = delivery.received > 0
    sent = delivery.sent == case.arrays["size"]
    return {
        "order": gap[missed & ~begun].sum(),
        "unfinished": gap[missed & begun & ~whole & ~sent].sum(),
        "feedback": gap[missed & begun & ~whole & sent].sum(),
        "late": gap[missed & whole].sum(),
        "luck": -gap[on_time].sum(),
    }


def waste(case, flown, most):
    """Shares of the byte bound, by cause."""
    payload = case.head.payload_bytes
    return {
        "unfinished": flown.unfinished_bytes / most.bytes,
        "headers": flown.payload_lost_to_headers / most.bytes,
        "idle": flown.idle_good_slots * payload / most.bytes,
        "twice": flown.repeated_bytes / most.bytes,
    }


def fly(case, policy):
    started = time.process_time()
    ledger = DownlinkHarness(case, policy).fly()
    return ledger, time.process_time() - started


class OwnCases:
    """The product's own families, bounds and figures."""

    families = tuple(FAMILIES)

    def case(self, family, seed, load):
        return make_case(family, seed, load), None

    def judge(self, case, _theirs, ledger, most):
        flown = figures(case, ledger)
        return flown.value_on_time / most.value, flown.bytes_useful / most.bytes, "own"

    def baselines(self, case, _theirs, most):
        ledger, _ = fly(case, "density")
        return {"density": self.judge(case, None, ledger, most)[:2]}


class JudgedCases:
    """An independent judge's cases and verdicts; nothing of the product needs it."""

    def __init__(self, folder):
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(folder))
        import link  # noqa: PLC0415  the judge is a folder somebody names

        self._link = link
        self.families = tuple(link.FAMILIES)
        self._bounds = {}

    def case(self, family, seed, load):
        theirs = self._link.build(family, seed, load)
        names = CaseHead.__struct_fields__
        head = CaseHead(**{name: theirs.head[name] for name in names})
        self._bounds = self._link.bounds(theirs)
        return Case(head, theirs.arr), theirs

    def judge(self, _case, theirs, ledger, most):
        for name, own in (("value_bound", most.value), ("byte_bound", most.bytes)):
            apart = abs(own / self._bounds[name] - 1)
            assert apart <= BOUND_TOLERANCE, f"{name}: {apart:.4f} apart from the judge's"
        verdict = self._link.check(theirs, ledger, self._bounds)
        told = verdict["verdict"] + "".join(f" {each}" for each in verdict["flags"])
        return verdict["eta_V"], verdict["eta_E"], told

    def baselines(self, _case, theirs, _most):
        found = {}
        for name in JUDGED_BASELINES:
            verdict = self._link.judge_policy(theirs, name, self._bounds)
            found[name] = (verdict["eta_V"], verdict["eta_E"])
        return found


def row(source, family, seed, load):
    case, theirs = source.case(family, seed, load)
    most = bounds(case)
    ledger, spent_s = fly(case, "planned")
    eta_v, eta_e, verdict = source.judge(case, theirs, ledger, most)
    frames = len(ledger["frame_pass"])
    return {
        "eta_V": eta_v,
        "eta_E": eta_e,
        "verdict": verdict,
        "baselines": source.baselines(case, theirs, most),
        "causes": causes(case, ledger, most),
        "waste": waste(case, figures(case, ledger), most),
        "us_a_frame": 1e6 * spent_s / max(frames, 1),
    } | {"family": family, "seed": seed}


def told(one):
    shares = lambda found: " ".join(f"{name} {share:.4f}" for name, share in found.items())
    beside = " ".join(f"{n} {v:.4f}/{e:.4f}" for n, (v, e) in one["baselines"].items())
    return (
        f"{one['family']:<18} {one['seed']:>3}  eta_V {one['eta_V']:.4f}  eta_E {one['eta_E']:.4f}"
        f"  {one['verdict']}\n    beside (V/E)  {beside}\n    value lost    "
        f"{shares(one['causes'])}\n    bytes lost    {shares(one['waste'])}"
        f"   {one['us_a_frame']:.1f} us a frame, ground and reports included"
    )


def summed_up(rows, families):
    lines = ["", "median / worst        eta_V            eta_E            density eta_V    V above"]
    for family in families:
        mine = [one for one in rows if one["family"] == family]
        if not mine:
            continue
        value, use = [one["eta_V"] for one in mine], [one["eta_E"] for one in mine]
        base = [one["baselines"]["density"][0] for one in mine]
        least = min(v - b for v, b in zip(value, base, strict=True))
        pairs = "  ".join(f"{statistics.median(x):.4f} / {min(x):.4f}" for x in (value, use, base))
        lines.append(f"{family:<20}  {pairs}  {least:+.4f}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judge", type=Path, metavar="DIR")
    parser.add_argument("--families")
    parser.add_argument("--seeds", type=seeds_of, default=range(1, 2))
    parser.add_argument("--load", type=float)
    arguments = parser.parse_args()
    source = OwnCases() if arguments.judge is None else JudgedCases(arguments.judge)
    families = arguments.families.split(",") if arguments.families else source.families
    rows = []
    for family in families:
        for seed in arguments.seeds:
            rows.append(row(source, family, seed, arguments.load))
            print(told(rows[-1]), flush=True)
    print(summed_up(rows, families))


if __name__ == "__main__":
    main()
