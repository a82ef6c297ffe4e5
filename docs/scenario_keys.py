"""What each key of a scenario means, for the reference; ranges and defaults are the code's own.

A key that has no line here, or a line here that has no key, fails the test of the docs.
"""

from __future__ import annotations

SECTIONS: dict[str, str] = {
    "": "These keys stand before the first `[section]`.",
    "spacecraft": "The plant: the real spacecraft, which the node knows only through its sensors.",
    "imagery": "Where the pixels come from.",
    "ground": "Stations, relay and the channel to them.",
    "ground.sites": "A station of your own, one `[[ground.sites]]` a station.",
    "node": "The node's own configuration, the same sections that `lumenode fly` reads on a board.",
    "node.orbit": (
        "Mean elements the node propagates itself. Left out, the bench gives the node the plant's "
        "own orbit."
    ),
    "node.battery": "The battery as the node believes it to be. The plant's is in `[spacecraft]`.",
    "node.camera": "What the imager delivers.",
    "node.values": "What results are worth, in value units: the mission's own table.",
    "node.inference": "Model, board and governor.",
    "node.planner": "The way of the heat as the planner believes it to be.",
    "node.link": "Frames and queue.",
    "node.links": "Links beside the laser terminal; on target `sim` alone.",
    "node.sensors": "What the node has no sensor for.",
    "node.store": "The durable store.",
    "node.contacts": (
        "The uploaded contact plan, one `[[node.contacts]]` a contact. Left out, the bench plans "
        "the contacts from `[ground]` and gives them to the node."
    ),
    "node.keep_outs": (
        "Times in which the terminal is dark and looks away, one `[[node.keep_outs]]` a time: "
        "aircraft, satellites, whatever light must not meet. Contacts are cut by them. What the "
        "Sun cuts is added by the bench, from `ground.sun_keep_out_deg`."
    ),
    "timeline": "What happens, one `[[timeline]]` an entry.",
    "expect": "What must hold, one `[[expect]]` an expectation. A run fails when one of them does.",
}

MEANINGS: dict[str, str] = {
    "name": "short name; also the default folder of the run",
    "title": "one line for lists and the report",
    "description": "a few sentences for the report",
    "seed": "source of all chance: fading, cloud, lost reports, order of the tiles, link keys",
    "duration_s": "length of the mission",
    "epoch_utc": "UTC at mission time zero, with a time zone",
    "spacecraft.altitude_km": "mean altitude of the sun-synchronous orbit",
    "spacecraft.ltan_h": "local time of the ascending node; 18 is dawn-dusk",
    "spacecraft.mean_anomaly_deg": "place in the orbit at the epoch",
    "spacecraft.tle": (
        "a two-line element set, as two texts, instead of the three keys above; at most 60 days "
        "from the epoch"
    ),
    "spacecraft.soc_initial": "state of charge at the epoch, 0 to 1",
    "spacecraft.battery_series": "cells in series",
    "spacecraft.battery_parallel": "strings in parallel",
    "spacecraft.array_area_m2": "area of the solar array",
    "spacecraft.radiator_area_m2": "area of the radiator",
    "spacecraft.base_load_w": "everything on the bus except payload, laser and heater",
    "spacecraft.laser_w": "the terminal with its laser on",
    "imagery.source": "the fetched Sentinel-2 scene, or tiles made from the seed",
    "ground.stations": "optical stations, by key (listed below)",
    "ground.sites": "stations of your own, see below; they stand in `stations` by their key",
    "ground.sites.key": "short name",
    "ground.sites.name": "name in lists and the report",
    "ground.sites.lat_deg": "geodetic latitude, north positive",
    "ground.sites.lon_deg": "longitude, east positive",
    "ground.sites.alt_m": "height above the ellipsoid",
    "ground.sites.clear_fraction": "share of time with a clear sky",
    "ground.elevation_mask_deg": "a pass begins and ends at this elevation",
    "ground.rate_bps": "line rate to a station",
    "ground.margin_zenith_db": "mean link margin with the station at the zenith",
    "ground.max_passes": "only the first so many station passes are flown",
    "ground.relay": "whether there are contacts with relay satellites",
    "ground.relay_rate_bps": "line rate to a relay",
    "ground.relay_contact_s": "longest relay contact",
    "ground.relay_every_s": "a relay contact is looked for this often",
    "ground.relay_first_s": "mission time of the first look",
    "ground.relay_free_share": "share of time in which a relay has a terminal free",
    "ground.radio_stations": "stations with a radio, by key; left out: all of `stations`",
    "ground.radio_rate_bps": "line rate by radio, both ways",
    "ground.radio_mask_deg": "a radio contact begins and ends at this elevation",
    "ground.radio_loss": "share of frames lost by radio, either way",
    "ground.report_period_s": "the ground reports what arrived this often, while in contact",
    "ground.report_loss": "share of uplink frames lost besides what the channel loses",
    "ground.bit_error_rate": (
        "share of bits that arrive wrong in frames that are not lost; for a node whose link has a "
        "coding"
    ),
    "ground.sun_keep_out_deg": (
        "a line of sight closer to the Sun, at either end, is not used; 0: the Sun is no matter"
    ),
    "ground.cloud": "whether stations have weather, drawn from their climatology",
    "node.name": "name of the node",
    "node.orbit": "mean elements, see below; left out: the plant's",
    "node.contacts": "contact plan, see below; left out: from `[ground]`",
    "node.keep_outs": "times without light, see below",
    "node.parameters": (
        'starting values of parameters (listed below), such as `{ "power.soc_floor" = 0.5 }`'
    ),
    "node.orbit.epoch_utc_s": "epoch of the elements, Unix seconds",
    "node.orbit.inclination_deg": "inclination",
    "node.orbit.raan_deg": "right ascension of the ascending node",
    "node.orbit.eccentricity": "eccentricity",
    "node.orbit.argp_deg": "argument of perigee",
    "node.orbit.mean_anomaly_deg": "mean anomaly",
    "node.orbit.mean_motion_rev_day": "revolutions a day",
    "node.orbit.bstar": "drag term of SGP4, 1 / Earth radii",
    "node.battery.series": "cells in series",
    "node.battery.parallel": "strings in parallel",
    "node.battery.cell_capacity_ah": "rated charge of one cell",
    "node.battery.cell_resistance_ohm": "ohmic plus polarisation, 25 degC",
    "node.battery.ocv_soc": "states of charge of the open-circuit curve, rising",
    "node.battery.ocv_v": "voltage of one cell at each of them, rising",
    "node.camera.bands": "of a tile, in the order of its octets",
    "node.camera.cadence_s": "a frame every so long while the ground below is lit",
    "node.camera.tiles_per_frame": (
        "tiles in a frame; one is computed for real, time and energy are charged for all"
    ),
    "node.camera.backlog_frames": "frames that may wait; a full backlog drops its oldest",
    "node.camera.deadline_s": "an older frame is worth nothing",
    "node.values.mask_land": "a cloud mask over land",
    "node.values.mask_sea": "a cloud mask over the sea",
    "node.values.quicklook_land": "a picture of fully clear land; falls with the cloudy share",
    "node.values.quicklook_sea": "the same over the sea",
    "node.values.quicklook_cloud_max": "cloudier tiles get no picture",
    "node.values.mask_deadline_s": "an older mask is worth nothing",
    "node.values.quicklook_deadline_s": "an older picture is worth nothing",
    "node.inference.model": "name in the model registry",
    "node.inference.variant": "single precision or quantised",
    "node.inference.profile": "board profile: a shipped name, or the path of a TOML file",
    "node.inference.models": "folder with models of one's own; docs/models.md",
    "node.inference.cascade": "the small variant looks first, the dear one only where it is clear",
    "node.inference.cascade_cloud_min": "a tile this cloudy is done with the first look",
    "node.inference.confirm_value": "a tile that may be worth as much is run twice; 0: none",
    "node.inference.upload": "models are taken from the ground, if it has signed them",
    "node.inference.governor": "`guard` keeps limits, `planner` plans above it, `none`: neither",
    "node.planner.die_j_k": "heat capacity of the die",
    "node.planner.radiator_j_k": "heat capacity of the radiator",
    "node.planner.sink_w_k": "conductance from sink to radiator",
    "node.planner.radiator_m2": "area that radiates",
    "node.planner.emissivity": "of that area",
    "node.planner.sink_c_max": "the plan keeps the sink below",
    "node.planner.radiator_c_max": "the plan keeps the radiator below",
    "node.link.coding": (
        "`rs`: sync marker, randomiser and Reed-Solomon (255,223) "
        "for a terminal that corrects nothing"
    ),
    "node.link.repair": (
        "repair frames for each product frame while the uplink is silent, 0 for none; "
        "while reports come there are none"
    ),
    "node.link.repair_after_s": "line time without a report, then the uplink counts as silent",
    "node.link.spacecraft_id": "in every frame's header",
    "node.link.frame_bytes": "longest transfer frame",
    "node.link.window_frames": "frames sent and not yet decided by a report",
    "node.link.queue_bytes": "budget of the downlink queue",
    "node.link.queue_products": "products in the downlink queue",
    "node.link.half_life_s": "age at which a result is worth half; 0: results keep their value",
    "node.links.radio": "a slow radio link for what cannot wait for light",
    "node.links.radio_carries": "emergencies while there is no light, or the whole queue beside it",
    "node.links.radio_reports": (
        "its uplink is believed in what it reports of its own frames, or of the laser's as well"
    ),
    "node.links.radio_frame_bytes": "longest transfer frame by radio",
    "node.links.radio_window_frames": "frames sent by radio and not yet decided by a report",
    "node.sensors.absent": (
        "sensors the node neither waits for nor tells as lost, and no limit hangs on them: "
        "array, bus, battery, cells, payload, laser, die, sink, radiator, sun, terminal, rx_power"
    ),
    "node.store.cap_bytes": "payload bytes the store holds",
    "node.store.segment_bytes": "size of one segment file",
    "node.store.commit_period_s": "new products are made durable together this often",
    "node.store.quota_imaging": (
        "share of the queue's bytes that results may take; at it, the least dense of them go"
    ),
    "node.store.quota_telemetry": "the same of recorded telemetry",
    "node.store.quota_commanding": "the same of what was asked for by command",
    "node.contacts.contact_id": "number of the contact, unique",
    "node.contacts.peer_id": "what the terminal points at",
    "node.contacts.peer_name": "for events and the report",
    "node.contacts.kind": "optical ground station or relay",
    "node.contacts.start_utc_s": "Unix seconds",
    "node.contacts.end_utc_s": "Unix seconds, after the start",
    "node.contacts.rate_bps": "line rate",
    "node.contacts.authorised": "without it the laser stays off",
    "node.keep_outs.peer_id": "the peer it stands before; 0 is every one",
    "node.keep_outs.start_utc_s": "Unix seconds; the terminal is dark half a second before",
    "node.keep_outs.end_utc_s": "Unix seconds, after the start",
    "node.keep_outs.cause": "why; nothing hangs on it",
    "timeline.at_s": "mission time; 0 to `duration_s`",
    "timeline.action": "what happens, see below",
    "timeline.for_s": "how long; 0 is for the rest of the mission (not for `cloud`)",
    "timeline.watts": "`heat`: power into the heat sink",
    "timeline.share": "`array`, `radiator`, `battery`: share that is lost",
    "timeline.pace": "`camera`: frames in place of one; 0 is none",
    "timeline.sensor": "`sensor_stuck`, `sensor_lost`: which sensor, see below",
    "timeline.actuator": "`actuator_stuck`: which actuator; `target` is where the terminal points",
    "timeline.step_s": "`utc_step`: so far is the node's UTC off, ahead when positive",
    "timeline.command": "`command`: its name, see below",
    "timeline.arguments": "`command`: its arguments",
    "timeline.sequence": "`sequence`: the sequence, written as in its own file (docs/sequences.md)",
    "timeline.text": "a line for the event log",
    "expect.id": "unique",
    "expect.kind": "when it is judged, see below",
    "expect.value": "what is measured: a channel, a key of the summary or an event",
    "expect.op": "the measurement stands on the left, the limit on the right",
    "expect.limit": "the limit; for `within` the seconds after `from_s`",
    "expect.from_s": "mission time from which it is judged",
    "expect.unit": "for the report only",
    "expect.text": "the promise in words, for the report",
    "expect.requirement": "identity of the requirement it proves",
}

ACTIONS: dict[str, str] = {
    "heat": "foreign heat flows into the heat sink",
    "cloud": "a cloud stands over every station: the laser of the node does not get through",
    "reset": (
        "power cut of the node, half a millisecond after `at_s`; it starts again 12 s later and "
        "opens the same store"
    ),
    "sequence": "the operator uploads one sequence, in pieces, over as many contacts as it takes",
    "command": "the operator sends one telecommand at the next uplink, again until answered",
    "array": "part of the solar array is lost",
    "radiator": "the radiator gives off less heat, as with a coating that has aged",
    "battery": "the cells hold less charge, as with age",
    "camera": "frames come at another pace, or not at all; target `sim` only",
    "sensor_stuck": "one sensor keeps showing its present value",
    "sensor_lost": "one sensor is no longer valid",
    "actuator_stuck": (
        "one actuator keeps what it has, whatever it is told, and reads back that; "
        "a reset leaves it off"
    ),
    "engine_lost": (
        "no job of the payload's engine gives an answer, as with a process that cannot live; "
        "target `sim` only"
    ),
    "utc_step": (
        "the UTC that the node is told leaps by `step_s`, and back after `for_s`; "
        "mission time goes on"
    ),
}

KINDS: dict[str, str] = {
    "always": "`value` is a telemetry channel; every valid sample from `from_s` on must hold",
    "never": "`value` is a telemetry channel; no valid sample from `from_s` on may hold",
    "at_end": (
        "`value` is a key of `summary.json`; a dot goes into a table, `.count` counts a list"
    ),
    "within": "`value` is an event; it must come within `limit` seconds after `from_s`",
}

UNITS: dict[str, str] = {
    "s": "s", "km": "km", "h": "h", "deg": "deg", "m2": "m2", "w": "W", "bps": "bit/s", "db": "dB",
    "bytes": "B", "ah": "Ah", "ohm": "ohm", "v": "V", "day": "1/day", "watts": "W",
}  # fmt: skip
"""By the last part of a key's name."""
