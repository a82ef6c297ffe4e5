"""Makes a run directory with synthetic data of three orbits, for the tests of the report.

Nothing here was flown: the scenario says so, and so does every product's origin.
"""

import json
import math
import struct
import zlib
from pathlib import Path

import numpy as np

ORBIT_S = 5826.0
MODES = ["BOOT", "SAFE", "IDLE", "COMPUTE", "DOWNLINK"]
REASONS = [
    "none",
    "die",
    "sink",
    "radiator",
    "battery_floor",
    "eclipse_reserve",
    "pass_reserve",
    "queue_full",
    "command",
    "fault",
]
STATIONS = [
    {"id": "oberpfaffenhofen", "name": "Oberpfaffenhofen", "lat": 48.08, "lon": 11.28},
    {"id": "tenerife", "name": "Tenerife", "lat": 28.30, "lon": -16.51},
    {"id": "calern", "name": "Calern", "lat": 43.75, "lon": 6.92},
    {"id": "table-mountain", "name": "Table Mountain", "lat": 34.38, "lon": -117.68},
    {"id": "auckland", "name": "Auckland", "lat": -36.85, "lon": 174.76},
]
CONTACTS = [
    ("G1", "OGS", "calern", 2750.0, 3130.0, 61.0),
    ("R1", "RELAY", "relay-4", 6900.0, 8100.0, None),
    ("G2", "OGS", "table-mountain", 9300.0, 9640.0, 34.0),
    ("G3", "OGS", "tenerife", 14350.0, 14780.0, 74.0),
]
FAULT = {
    "kind": "sensor.stuck",
    "start_s": 5200.0,
    "end_s": 5900.0,
    "text": "sink thermistor stuck at 31 degC",
}
RESET_S = 11200.0


def png(pixels):
    """Write a PNG with the fewest means; not the encoder under test."""
    (height, width) = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    parts = b"\x89PNG\r\n\x1a\n"
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        parts += struct.pack(">I", len(body)) + kind + body
        parts += struct.pack(">I", zlib.crc32(kind + body))
    return parts


def eclipses(total_s):
    return [
        (k * ORBIT_S + 1300.0, k * ORBIT_S + 2380.0) for k in range(math.ceil(total_s / ORBIT_S))
    ]


def telemetry(total_s):
    """Make every channel the report may rely on; a smooth day with the corners that matter."""
    t = np.arange(0.0, total_s + 1.0)
    rng = np.random.default_rng(7)
    dark = np.zeros(len(t), bool)
    for a, b in eclipses(total_s):
        dark |= (t >= a) & (t < b)
    link = np.zeros(len(t), bool)
    for _, _, _, a, b, _ in CONTACTS:
        link |= (t >= a + 25) & (t < b)
    mode = np.where(link, 4, 3)
    mode = np.where(dark & (t % ORBIT_S > 1900) & ~link, 2, mode)
    mode[:40] = 0
    mode[40:120] = 2
    after = (t >= RESET_S) & (t < RESET_S + 300)
    mode[after] = np.where(t[after] < RESET_S + 12, 0, 1)
    reason = np.where((mode == 2) & dark, 5, 0)
    reason[(t > 4300) & (t < 4700)] = 1
    payload = np.where(mode >= 3, 22.0, 3.1) - 6.0 * (reason == 1) + rng.normal(0, 0.15, len(t))
    laser = np.where(mode == 4, 11.5, 0.4)
    array = np.where(dark, 0.0, 58.0 + 2.5 * np.sin(2 * np.pi * t / ORBIT_S))
    bus = 14.0 + payload + laser
    soc = np.clip(0.93 + np.cumsum(np.where(array > bus, 0.35, 1.0) * (array - bus)) / 640e3, 0, 1)
    for i in range(1, len(soc)):
        delta = np.clip((array[i] - bus[i]) / 430e3, -1, 0.4e-4)
        soc[i] = min(0.98, soc[i - 1] + delta)
    die = np.empty(len(t))
    sink = np.empty(len(t))
    (d, s) = (21.0, 18.0)
    for i in range(len(t)):
        s += (payload[i] * 0.9 - (s - 6.0 + 7.0 * dark[i]) * 0.62) / 900.0
        d += ((s + payload[i] * 1.55) - d) / 25.0
        (die[i], sink[i]) = (d, s)
    die[(t > 4290) & (t < 4310)] += 9.0
    estimate = soc + 0.008 * np.sin(t / 2500.0) + 0.002
    measured = die + rng.normal(0, 0.2, len(t))
    measured[(t > 7000) & (t < 7060)] = np.nan
    made = np.cumsum(np.where(mode >= 3, 1 / 38.0, 0.0))
    sent = np.cumsum(np.where(mode == 4, 0.42, 0.0))
    rx = np.where(link, -34.0 + 3.5 * np.sin(t / 61.0), np.nan)
    return {
        "t_s": t,
        "mode.current": mode.astype(float),
        "governor.throttle_reason": reason.astype(float),
        "governor.level": np.where(mode >= 3, np.where(reason == 1, 2, 4), 0).astype(float),
        "power.array_w": array,
        "power.bus_w": bus,
        "power.payload_w": payload,
        "power.laser_w": laser,
        "power.soc_estimate": estimate,
        "truth.soc": soc,
        "truth.sun_fraction": (~dark).astype(float),
        "truth.die_c": die,
        "battery.voltage_v": 24.0 + 4.2 * soc - 0.01 * (bus - array),
        "battery.current_a": (bus - array) / 27.0,
        "battery.temp_c": 17.0 + 2.0 * np.sin(t / 4000.0),
        "thermal.die_c": measured,
        "thermal.sink_c": sink,
        "thermal.radiator_c": sink - 7.0 - 2.0 * dark,
        "queue.products": np.floor(np.clip(made - np.minimum(made, sent), 0, None)),
        "queue.bytes": np.clip(made - np.minimum(made, sent), 0, None) * 41_300.0,
        "queue.dropped_total": np.floor(np.clip((t - 12000.0) / 1500.0, 0, 3)),
        "queue.delivered_total": np.floor(np.minimum(made, sent)),
        "inference.jobs_total": np.floor(made),
        "link.pat_state": np.where(link, 6.0, 0.0),
        "link.rx_power_dbm": rx,
        "sys.rss_mib": 118.0 + np.minimum(t / 3000.0, 2.0),
    }


def track(total_s):
    inclination = math.radians(97.6)
    points = []
    for t in np.arange(0.0, total_s + 1.0, 30.0).tolist():
        u = 2 * math.pi * t / ORBIT_S + 0.4
        lat = math.asin(math.sin(inclination) * math.sin(u))
        lon = math.atan2(math.cos(inclination) * math.sin(u), math.cos(u))
        lon_deg = (math.degrees(lon) - 360.0 * t / 86164.0 + 96.0 + 180.0) % 360.0 - 180.0
        dark = any(a <= t < b for a, b in eclipses(total_s))
        points.append([t, math.degrees(lat), lon_deg, 0.0 if dark else 1.0])
    return points


def contact(contact_id, kind, peer, start, end, peak):
    t = np.arange(start, end + 1.0, 5.0)
    x = (t - start) / (end - start) * 2 - 1
    up = 12.0 + ((peak or 0) - 12.0) * (1 - x * x)
    range_km = 560.0 / np.sin(np.radians(np.clip(up, 8, 90))) if peak else 38500 + 900 * x
    margin = 9.0 - 20 * np.log10(range_km / range_km.min())
    states = ["SLEW", "SCAN", "COARSE", "FINE", "MODEM_SYNC"]
    state = [states[int((a - start) // 5)] if a - start < 25 else "DATA" for a in t]
    if contact_id == "G2":
        for i in range(30, 36):
            state[i] = "COAST" if i < 33 else "REACQ"
    good = [0.0 if s != "DATA" else 9.2e8 if peak else 2.4e8 for s in state]
    return {
        "contact_id": contact_id,
        "kind": kind,
        "peer": peer,
        "start_s": start,
        "end_s": end,
        "max_elevation_deg": peak,
        "t_s": t.tolist(),
        "elevation_deg": up.tolist() if peak else [None] * len(t),
        "range_km": range_km.tolist(),
        "margin_db": margin.tolist(),
        "pat_state": state,
        "goodput_bps": good,
        "frames_good": 182_340,
        "frames_lost": 412,
        "frames_retransmitted": 398,
        "bytes_acknowledged": 3_412_000,
        "products_completed": 61,
    }


def write_products(folder, count):
    """Write tiles with clouds, each with a mask and a quick-look product."""
    folder.mkdir()
    rng = np.random.default_rng(11)
    (yy, xx) = np.mgrid[0:192, 0:192] / 192.0
    for i in range(count):
        field = sum(
            math.exp(-0.5 * k)
            * np.sin(2 * np.pi * (k * xx * rng.uniform(0.5, 2) + rng.uniform()))
            * np.cos(2 * np.pi * (k * yy * rng.uniform(0.5, 2) + rng.uniform()))
            for k in range(1, 7)
        )
        cloud = field > rng.uniform(-0.1, 0.6)
        ground = np.stack(
            [60 + 40 * np.sin(9 * xx + i), 85 + 30 * np.cos(7 * yy - i), 70 + 20 * xx], axis=-1
        )
        tile = np.where(cloud[..., None], 215 + 25 * field[..., None], ground)
        tile = np.clip(tile + rng.normal(0, 5, tile.shape), 0, 255).astype(np.uint8)
        created = 300.0 + i * 390.0
        ends = [c[4] for c in CONTACTS if c[4] > created + 200]
        for klass, suffix in (("MASK", "mask"), ("QUICKLOOK", "look")):
            name = f"T{i:05d}-{suffix}"
            late = not ends or (klass == "QUICKLOOK" and i % 7 == 3)
            meta = {
                "product_id": 1000 + 2 * i + (klass == "MASK"),
                "name": name,
                "klass": klass,
                "size_bytes": 2_100 if klass == "MASK" else 39_200,
                "value_millis": int(1000 * (1.6 - float(cloud.mean()))) * (2 if i % 5 == 0 else 1),
                "created_s": created,
                "delivered_s": None if late else ends[0] - 40.0,
                "cloud_fraction": float(cloud.mean()),
                "tile_id": i,
                "origin": f"SYNTHETIC scene A, row {i // 6}, column {i % 6}",
                "contact": None if late else next(c[0] for c in CONTACTS if c[4] == ends[0]),
            }
            (folder / f"{name}.json").write_text(json.dumps(meta))
            if klass == "MASK":
                (folder / f"{name}.mask.png").write_bytes(png(cloud * 255))
                (folder / f"{name}.tile.png").write_bytes(png(tile))
            else:
                (folder / f"{name}.png").write_bytes(png(tile[::2, ::2]))


def events():
    rows = [
        (0.0, "flight", 1, "BOOTED", "NOTICE", "start 1, reset cause power_cut, software 0.1.0"),
        (120.0, "flight", 2, "MODE_CHANGED", "NOTICE", "mode IDLE to COMPUTE: commanded"),
        (600.0, "flight", 50, "COMMAND_ACCEPTED", "INFO", "command 1 set_inference accepted"),
        (600.2, "flight", 51, "COMMAND_COMPLETED", "INFO", "command 1 set_inference completed"),
        (640.0, "flight", 52, "COMMAND_REJECTED", "WARNING", "command 2 rejected: not armed"),
        (4300.0, "flight", 12, "LIMIT_VIOLATED", "WARNING", "die_high: 71.2 beyond 70.0"),
        (4301.0, "flight", 10, "THROTTLED", "NOTICE", "payload level 2: die"),
        (5200.0, "bench", 0, "FAULT_INJECTED", "NOTICE", FAULT["text"]),
        (5231.0, "flight", 14, "SENSOR_STALE", "WARNING", "thermal.sink_c is stale or invalid"),
        (RESET_S, "bench", 0, "FAULT_INJECTED", "ALARM", "processor reset"),
        (RESET_S + 9, "flight", 1, "BOOTED", "NOTICE", "start 2, reset cause injected"),
        (12500.0, "flight", 33, "PRODUCT_EVICTED", "WARNING", "product 1011 evicted: expired"),
    ]
    for contact_id, _, peer, start, end, _ in CONTACTS:
        text = f"contact {contact_id} with {peer} begins"
        rows.append((start, "flight", 40, "CONTACT_STARTED", "NOTICE", text))
        text = f"link with {peer} acquired after 24.6 s"
        rows.append((start + 25, "flight", 41, "LINK_ACQUIRED", "NOTICE", text))
        rows.append((end, "ground", 0, "REPORT_SENT", "DEBUG", "report 812"))
    keys = ("t_s", "source", "id", "name", "severity", "text")
    return [{**dict(zip(keys, row, strict=True)), "utc": "", "args": {}} for row in sorted(rows)]


def summary(total_s, channels):
    expectations = [
        {
            "id": "E1",
            "requirement": "LN-PWR-01",
            "kind": "always",
            "text": "state of charge stays at or above the floor",
            "verdict": "pass",
            "measured": float(channels["truth.soc"].min()),
            "limit": 0.5,
            "unit": "",
        },
        {
            "id": "E2",
            "requirement": ["LN-THM-01", "LN-THM-02"],
            "kind": "always",
            "text": "die stays at or below its limit",
            "verdict": "pass",
            "measured": float(channels["truth.die_c"].max()),
            "limit": 85.0,
            "unit": "degC",
        },
        {
            "id": "E3",
            "requirement": "LN-DL-04",
            "kind": "at_end",
            "text": "no acknowledged product is lost over the injected reset",
            "verdict": "pass",
            "measured": 0,
            "limit": 0,
            "unit": "products",
        },
        {
            "id": "E4",
            "requirement": "LN-DL-07",
            "kind": "within",
            "text": "link acquired after the start of each ground pass",
            "verdict": "pass",
            "measured": 24.6,
            "limit": 45,
            "unit": "s",
        },
    ]
    return {
        "version": 1,
        "scenario": "synthetic-three-orbits",
        "target": "sim",
        "seed": 7,
        "software_version": "0.1.0",
        "dictionary_hash": "5d1f" * 16,
        "model_hashes": {"cloud-s fp32": "9a3c" * 16, "cloud-s int8": "77e0" * 16},
        "log_hash": "c0ffee42" * 8,
        "verdict": "pass",
        "expectations": expectations,
        "sim_s": total_s,
        "wall_s": 41.3,
        "cpu_s": 40.2,
        "speed_x": total_s / 41.3,
        "frames_seen": 512,
        "inferences": 402,
        "inferences_memoised": 371,
        "products_created": 804,
        "products_delivered": 613,
        "products_evicted": 3,
        "bytes_created": 16_600_000,
        "bytes_delivered": 12_730_000,
        "value_created": 913_400,
        "value_delivered": 801_200,
        "energy_j_array": 8.1e5,
        "energy_j_compute": 3.2e5,
        "energy_j_laser": 2.6e4,
        "soc_min": float(channels["truth.soc"].min()),
        "soc_floor": 0.5,
        "temp_die_c_max": float(channels["truth.die_c"].max()),
        "temp_die_c_limit": 85.0,
        "violation_s_thermal": 0.0,
        "violation_s_soc": 0.0,
        "throttle_s_by_reason": {"none": 15000.0, "die": 399.0, "eclipse_reserve": 1440.0},
        "mode_s_by_mode": {"COMPUTE": 13200.0, "DOWNLINK": 2250.0, "IDLE": 1520.0},
        "passes": [
            {
                "contact_id": c[0],
                "kind": c[1],
                "peer": c[2],
                "start_s": c[3],
                "end_s": c[4],
                "max_elevation_deg": c[5],
                "frames_sent": 182_752,
                "frames_lost": 412,
                "frames_retransmitted": 398,
                "bytes_delivered": 3_412_000,
                "products_delivered": 61,
                "acquired_s": 24.6,
                "verdict": "pass",
            }
            for c in CONTACTS
        ],
        "frames_sent": 731_008,
        "frames_lost": 1_648,
        "frames_retransmitted": 1_592,
        "events_by_severity": {"DEBUG": 4, "INFO": 2, "NOTICE": 12, "WARNING": 4, "ALARM": 1},
        "events_suppressed": 0,
        "commands_accepted": 1,
        "commands_rejected": 1,
        "resets": [{"t_s": RESET_S, "cause": "injected"}],
        "queue_high_water": {"products": 97, "bytes": 4_100_000},
        "drops_by_queue": {"downlink expired": 3, "events": 0, "frame source": 0},
    }


GOVERNOR_SCORE = {
    "version": 1,
    "scenario": "synthetic-three-orbits",
    "seed": 7,
    "log_hash": "c0ffee42" * 8,
    "governor": "planner",
    "value_delivered": 801_200,
    "value_all": 1_000_000,
    "value_bound": 900_000,
    "share": 801_200 / 900_000,
    "lost": {"heat": 61_000, "battery": 120_000, "link": 17_800, "command or fault": 0},
    "bound_costs": {"heat": 12_000, "energy": 84_000, "link": 0},
    "others": [
        {"governor": "step_wise", "form": "trip 5 K below", "own": False,
         "value_delivered": 640_100, "violation_s_thermal": 0, "violation_s_soc": 7,
         "temp_die_c_max": 81.2, "soc_min": 0.49},
        {"governor": "planner", "form": "", "own": True, "value_delivered": 801_200,
         "violation_s_thermal": 0, "violation_s_soc": 0, "temp_die_c_max": 77.9, "soc_min": 0.56},
    ],
}  # fmt: skip


SCENARIO = """# Synthetic data for tests of the report; nothing of this was flown.
name = "synthetic-three-orbits"
title = "Synthetic three orbits"
description = "Synthetic data for tests of the report; nothing of this was flown."
seed = 7
duration_s = 17478
epoch_utc = 2026-06-21T06:00:00Z
"""


def make_run_dir(path: Path, *, tiles: int = 30, total_s: float = 3 * ORBIT_S) -> Path:
    """Write a whole run directory and return it; the same call writes the same bytes."""
    path.mkdir(parents=True, exist_ok=True)
    channels = telemetry(total_s)
    np.savez_compressed(path / "telemetry.npz", **channels)
    (path / "telemetry.json").write_text(json.dumps({"channels": {}}))
    (path / "summary.json").write_text(json.dumps(summary(total_s, channels)))
    (path / "scenario.toml").write_text(SCENARIO)
    (path / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events()))
    write_products(path / "products", tiles)
    data = {
        "track": track(total_s),
        "stations": STATIONS,
        "contacts": [contact(*c) for c in CONTACTS],
        "eclipses": eclipses(total_s),
        "faults": [FAULT],
        "resets": [{"t_s": RESET_S, "cause": "injected"}],
        "limits": {"die_c": 85.0, "soc_floor": 0.5},
        "modes": MODES,
        "throttle_reasons": REASONS,
        "credits": ["Synthetic tiles, made for tests."],
        "inference": {"ms_mean": 41.8, "ms_p95": 47.0, "ms_max": 63.2, "modelled": True},
    }
    (path / "report_data.json").write_text(json.dumps(data))
    (path / "governor.json").write_text(json.dumps(GOVERNOR_SCORE))
    return path
