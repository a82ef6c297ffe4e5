"""Writes the figures of a run into the README, so that nobody copies them by hand.

python docs/run_excerpt.py runs/first-flight

They stand between `<!-- from a run -->` and `<!-- end of the run -->`. Unlike the generated parts
they are not checked: they belong to the software that flew, and that changes every day.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from table_parts import table

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- from a run -->", "<!-- end of the run -->"
AROUND_S = 75.0
SHOWN = (
    *("RESET", "BOOTED", "STORE_RECOVERED", "MODE_CHANGED"),
    *("CONTACT_STARTED", "LINK_ACQUIRED", "RECONCILED"),
)


def clock(t_s: float) -> str:
    """Mission time, "3:52:30"."""
    return f"{int(t_s // 3600)}:{int(t_s // 60 % 60):02d}:{t_s % 60:04.1f}"


def figures(s: dict[str, Any]) -> str:
    """Key figures as a table."""
    throttled = s["throttle_s_by_reason"]
    reset_s = sum(each["t_s"] for each in s["resets"][:1])
    rows = [
        ["expectations that hold", f"{_held(s)} of {len(s['expectations'])}"],
        ["products delivered", f"{s['products_delivered']:,} of {s['products_created']:,}"],
        ["value delivered", f"{100.0 * s['value_delivered'] / s['value_created']:.1f} %"],
        ["data delivered", f"{s['bytes_delivered'] / 1e6:.2f} MB"],
        ["frames sent, lost, sent again",
         f"{s['frames_sent']:,}, {s['frames_lost']:,}, {s['frames_retransmitted']:,}"],
        ["delivered twice, lost after acknowledgement",
         f"{s['products_delivered_twice']}, {s['products_lost_after_acknowledgement']}"],
        ["inferences", f"{s['inferences']:,} of {s['frames_seen']:,} frames"],
        ["hottest die", f"{s['temp_die_c_max']:.1f} degC, limit {s['temp_die_c_limit']:g} degC"],
        ["throttled by die, by heat sink", f"{throttled['die']:.0f} s, {throttled['sink']:.0f} s"],
        ["lowest battery", f"{100 * s['soc_min']:.0f} %, floor {100 * s['soc_floor']:.0f} %"],
        ["power cuts", f"{len(s['resets'])}, at {clock(reset_s)}"],
        ["log hash", f"`{s['log_hash']}`"],
    ]  # fmt: skip
    return table(
        [f"`{s['scenario']}`, seed {s['seed']}, version {s['software_version']}", ""], rows
    )


def _held(summary: dict[str, Any]) -> int:
    return sum(each["verdict"] == "pass" for each in summary["expectations"])


def story(folder: Path, summary: dict[str, Any]) -> str:
    """What the log says about the first power cut."""
    cut_s = float(summary["resets"][0]["t_s"])
    lines = []
    for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["name"] in SHOWN and cut_s - AROUND_S < event["t_s"] < cut_s + AROUND_S:
            lines.append(f"{clock(event['t_s']):>9}  {event['source']:<6}  {event['text']}")
    return "\n".join(["```text", *lines, "```"])


def main(argv: list[str]) -> int:
    """Exit code: 0 written."""
    folder = Path(argv[0])
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    told = (
        f"{BEGIN}\n\n{figures(summary)}\n\nThe power cut in the middle of the second pass, from "
        f"`events.jsonl`:\n\n{story(folder, summary)}\n\n{END}"
    )
    text = README.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    README.write_text(pattern.sub(lambda _: told, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
