"""`summary.json` and `report_data.json`: what a run was and what it gave, in the public format."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from flight import __version__
from flight.telemetry.dictionary import (
    DICTIONARY_HASH,
    MODE_LABELS,
    PAT_LABELS,
    THROTTLE_LABELS,
)
from hil.cpu_level import cpu_level

if TYPE_CHECKING:
    from hil.link_bench import ContactLog
    from hil.target import Target

SUMMARY_VERSION = 1
TRACK_STEP_S = 30.0
VIOLATION_STEP_S = 1.0


def build_summary(target: Target, *, wall_s: float, cpu_s: float) -> dict[str, Any]:
    """Everything but expectations and verdict, which are judged on top of it."""
    scenario, recorder = target.scenario, target.world.recorder
    sim_s, models = target.now_s, target.world.models
    summary: dict[str, Any] = {
        "version": SUMMARY_VERSION,
        "scenario": scenario.name,
        "title": scenario.title,
        "target": target.name,
        "seed": scenario.seed,
        "epoch_utc": scenario.epoch_utc.isoformat(),
        "software_version": __version__,
        "cpu_features": cpu_level(),
        "dictionary_hash": DICTIONARY_HASH,
        "model_hashes": {f"{models.name}/{models.variant}": models.sha256},
        "imagery_hash": target.world.scene_digest,
        "log_hash": recorder.log_hash,
        "sim_s": sim_s,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "speed_x": sim_s / wall_s if wall_s > 0.0 else None,
    }
    summary |= _imaging(target) | _energy(target) | _limits(target) | _link(target)
    summary |= {
        "events_by_severity": dict(sorted(recorder.by_severity.items())),
        "events_suppressed": _total(target, "event.suppressed_total"),
        "commands_accepted": _total(target, "command.accepted_total"),
        "commands_rejected": _total(target, "command.rejected_total"),
        "resets": [{"t_s": t_s, "cause": cause} for t_s, cause in target.resets],
        "bench_link": target.link_statistics(),
        "queue_high_water": {
            "products": _highest(target, "queue.products"),
            "bytes": _highest(target, "queue.high_water_bytes"),
        },
        "drops_by_queue": {
            "downlink": _total(target, "queue.dropped_total"),
            "frames": _total(target, "inference.dropped_total"),
            "events": _total(target, "event.dropped_total"),
        },
    }
    return summary


def _imaging(target: Target) -> dict[str, Any]:
    world = target.world
    counters = world.ground.receiver.counters
    half_life_ns = target.scenario.node.link.half_life_ns
    delivered_millis = world.ledger.delivered_value_millis(world.archive, half_life_ns)
    return {
        "frames_seen": target.frames_seen,
        "inferences": _total(target, "inference.jobs_total"),
        "inferences_executed": target.executions["executed"],
        "inferences_memoised": target.executions["memoised"],
        "products_created": world.ledger.products,
        "products_delivered": counters.products,
        "products_delivered_twice": counters.duplicate_deliveries,
        "products_lost_after_acknowledgement": world.ledger.freed_but_missing(world.archive),
        "products_evicted": _total(target, "queue.dropped_total"),
        "bytes_created": world.ledger.size_bytes,
        "bytes_delivered": counters.product_bytes,
        "value_created": world.ledger.value_millis / 1000.0,
        "value_delivered": delivered_millis / 1000.0,
    }


def _energy(target: Target) -> dict[str, Any]:
    spent = target.world.plant.charge_j
    soc = target.world.recorder.column("truth.soc")
    return {
        "energy_j_array": spent["array"],
        "energy_j_compute": spent["compute"],
        "energy_j_laser": spent["laser"],
        "energy_residual_j": target.world.plant.state.ledger.residual_j,
        "soc_min": float(soc.min()),
        "soc_floor": target.soc_floor,
        "brown_outs": target.world.plant.brown_outs,
    }


def _limits(target: Target) -> dict[str, Any]:
    recorder, limit_c = target.world.recorder, target.world.profile.die_limit_c
    die, soc = recorder.column("truth.die_c"), recorder.column("truth.soc")
    reasons = recorder.column("governor.throttle_reason")
    modes = recorder.column("mode.current")
    return {
        "temp_die_c_max": float(die.max()),
        "temp_die_c_limit": limit_c,
        "violation_s_thermal": float((die > limit_c).sum()) * VIOLATION_STEP_S,
        "violation_s_soc": float((soc < target.soc_floor).sum()) * VIOLATION_STEP_S,
        "throttle_s_by_reason": _seconds_by(reasons, THROTTLE_LABELS[1:], first=1),
        "mode_s_by_mode": _mode_s(modes),
    }


def _link(target: Target) -> dict[str, Any]:
    logs = target.world.link.logs
    return {
        "passes": [_pass(target, log) for log in logs],
        "frames_sent": sum(log.frames_sent for log in logs),
        "frames_lost": sum(log.frames_lost for log in logs),
        "frames_retransmitted": _total(target, "link.frames_retransmitted"),
        "frames_refused_on_ground": dict(target.world.ground.frames_refused),
        "reports_sent": target.world.ground.receiver.counters.reports,
        "reports_lost": sum(log.uplink_lost for log in logs),
        "keep_out_violation_s": sum(log.keep_out_s for log in logs),
        "radio": None if target.world.radio is None else asdict(target.world.radio.log),
    }


def _pass(target: Target, log: ContactLog) -> dict[str, Any]:
    contact = log.contact
    return {
        "contact_id": contact.contact_id,
        "kind": contact.kind,
        "peer": contact.peer_name,
        "start_s": contact.start_s,
        "end_s": contact.end_s,
        "max_elevation_deg": contact.max_elevation_deg,
        "keep_out_s": sum(end_s - begin_s for begin_s, end_s in (*contact.sun, *contact.avoid)),
        "acquired_s": log.acquired_s,
        "frames_sent": log.frames_sent,
        "frames_lost": log.frames_lost,
        "frames_retransmitted": _growth(
            target, "link.frames_retransmitted", contact.start_s, contact.end_s
        ),
        "bytes_delivered": log.bytes_good,
        "products_delivered": log.products_completed,
        "verdict": "failed" if log.acquired_s is None else "acquired",
    }


def report_data(target: Target) -> dict[str, Any]:
    """What the report draws beyond telemetry: track, contacts, shadows, faults, limits."""
    scenario, recorder = target.scenario, target.world.recorder
    parameters = scenario.node.parameters
    return {
        "track": _track(target),
        "stations": [
            {"id": s.peer_id, "name": s.name, "lat": s.lat_deg, "lon": s.lon_deg}
            for s in target.world.book.stations
        ],
        "contacts": [_contact(target, log) for log in target.world.link.logs],
        "eclipses": _spans(recorder.times(), recorder.column("truth.sun_fraction") < 0.5),
        "faults": [
            {
                "kind": entry.action,
                "start_s": entry.at_s,
                "end_s": entry.at_s + entry.for_s,
                "text": entry.text or entry.action,
            }
            for entry in scenario.timeline
            if entry.action not in ("command", "reset")
        ],
        "resets": [{"t_s": t_s, "cause": cause} for t_s, cause in target.resets],
        "limits": {
            "die_c": target.world.profile.die_limit_c,
            "die_target_c": parameters.get("governor.die_target_c"),
            "soc_floor": target.soc_floor,
        },
        "modes": list(MODE_LABELS),
        "throttle_reasons": list(THROTTLE_LABELS),
        "pat_states": list(PAT_LABELS),
        "credits": target.credits,
        "inference": target.inference_statistics(),
        "board_profile": {"name": target.world.profile.name, "source": target.world.profile.source},
    }


def _track(target: Target) -> list[list[float]]:
    rows = []
    t_s = 0.0
    while t_s <= target.scenario.duration_s:
        where, light = target.world.orbit.geodetic(t_s), target.world.craft.light(t_s)
        rows.append([t_s, round(where.lat_deg, 4), round(where.lon_deg, 4), round(light.sunlit, 3)])
        t_s += TRACK_STEP_S
    return rows


def _contact(target: Target, log: ContactLog) -> dict[str, Any]:
    contact, geometry = log.contact, log.contact.geometry
    last = len(geometry.range_km) - 1
    at = [min(max(round(t_s - geometry.start_s), 0), last) for t_s in log.t_s]
    elevation = geometry.elevation_deg
    return {
        "contact_id": contact.contact_id,
        "kind": contact.kind,
        "peer": contact.peer_name,
        "start_s": contact.start_s,
        "end_s": contact.end_s,
        "max_elevation_deg": contact.max_elevation_deg,
        "t_s": log.t_s,
        "elevation_deg": [] if elevation is None else [elevation[i] for i in at],
        "range_km": [geometry.range_km[i] for i in at],
        "margin_db": log.margin_db,
        "pat_state": _at_times(target, "link.pat_state", log.t_s),
        "goodput_bps": log.goodput_bps,
        "products": log.products,
        "frames_good": log.frames_sent - log.frames_lost,
        "frames_lost": log.frames_lost,
        "frames_retransmitted": _growth(
            target, "link.frames_retransmitted", contact.start_s, contact.end_s
        ),
        "bytes_acknowledged": log.bytes_good,
        "products_completed": log.products_completed,
    }


def _at_times(target: Target, channel: str, times: list[float]) -> list[int | None]:
    column, grid = target.world.recorder.column(channel), target.world.recorder.times()
    found = np.searchsorted(grid, times)
    return [None if i >= column.size or math.isnan(column[i]) else int(column[i]) for i in found]


def _highest(target: Target, channel: str) -> int | None:
    values = target.world.recorder.column(channel)
    values = values[~np.isnan(values)]
    return int(values.max()) if values.size else None


def _total(target: Target, channel: str) -> int:
    """A counter over the whole run, resets of the node included."""
    return _rise(target.world.recorder.column(channel))


def _growth(target: Target, channel: str, start_s: float, end_s: float) -> int:
    times = target.world.recorder.times()
    return _rise(
        target.world.recorder.column(channel)[(times >= start_s) & (times <= end_s + 1.0)],
        initial=False,
    )


def _rise(values: np.ndarray[Any, np.dtype[np.float64]], *, initial: bool = True) -> int:
    values = values[~np.isnan(values)]
    if values.size == 0:
        return 0
    steps = np.diff(values)
    # A counter that falls was restarted with the node: what it shows then was counted anew.
    rise = float(np.where(steps >= 0, steps, values[1:]).sum())
    return int(rise + (values[0] if initial else 0.0))


def _seconds_by(
    values: np.ndarray[Any, np.dtype[np.float64]], labels: tuple[str, ...], *, first: int
) -> dict[str, float]:
    return {label: float((values == i).sum()) for i, label in enumerate(labels, start=first)}


def _mode_s(modes: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    """Seconds in each mode; OFF is the time the node was down, so the sum is the mission."""
    return {**_seconds_by(modes, MODE_LABELS, first=0), "OFF": float(np.isnan(modes).sum())}


def _spans(
    times: np.ndarray[Any, np.dtype[np.float64]], inside: np.ndarray[Any, np.dtype[np.bool_]]
) -> list[list[float]]:
    edges = np.diff(np.concatenate(([0], inside.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [
        [float(times[a]), float(times[min(int(b), times.size - 1)])]
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
