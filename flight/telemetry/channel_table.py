"""Every telemetry channel of the node, in the order of its housekeeping packets."""

from __future__ import annotations

from flight.telemetry.channel_traits import with_traits
from flight.telemetry.definitions import Channel, Kind, Mode, Severity, ThrottleReason
from flight.telemetry.health_channels import HEALTH_CHANNELS
from flight.telemetry.queue_table import queue_channels

MODE_LABELS = tuple(mode.name for mode in Mode)
THROTTLE_LABELS = tuple(reason.name.lower() for reason in ThrottleReason)
PAT_LABELS = (
    *("IDLE", "SLEW", "SCAN", "COARSE", "FINE", "MODEM_SYNC"),
    *("DATA", "COAST", "REACQ", "LOST", "SAFE"),
)
PROGRESS_LABELS = ("under_way", "reached", "drifted")
LOAD_LABELS = ("empty", "loading", "valid")
LINE_LABELS = ("closed", "waiting", "up", "refused")
UTC_LABELS = ("none", "set", "flywheel", "locked")
"""How far UTC is to be trusted, in the order of `UtcQuality`."""
SEVERITIES = tuple(severity.name for severity in Severity)
RESET_LABELS = (
    *("power_cut", "commanded", "watchdog", "software", "injected"),
    *("overheat", "under_voltage", "unknown", "stopped"),
)

FRAME_REFUSALS = (
    ("bad_length", "of no length that a frame has"),
    ("bad_fecf", "damaged on the way"),
    ("bad_header", "a header that makes no sense"),
    ("unknown_spi", "a key that is not here"),
    ("wrong_channel", "another spacecraft or channel"),
    ("bad_mac", "not made with the key"),
    ("replayed", "seen before, or too old to know"),
    ("bad_packets", "authentic, no packets in it"),
)
"""By what was wrong, in the order of `SecurityVerdict`."""
COMMAND_REFUSALS = (
    ("unknown_command", "not in the dictionary"),
    ("out_of_range", "an argument is"),
    ("wrong_mode", "not in this mode"),
    ("busy", "too many under way"),
    ("stale", "too old to know"),
)
"""By reason, in the order of `CommandReason`; repeats are counted beside them."""

_F, _C, _E, _B = Kind.FLOAT, Kind.COUNTER, Kind.ENUM, Kind.FLAG

RATE_GROUPS = ("main",)
"""Every group of components that is stepped at one rate."""


def _rate_channels(name: str) -> tuple[Channel, ...]:
    """What becomes of one group's time."""
    figures = (
        ("period_ms", "ms", _F, "period"),
        ("busy_ms", "ms", _F, "last step, from its start to its end"),
        ("busy_max_ms", "ms", _F, "longest step"),
        ("late_ms", "ms", _F, "last start after its due time"),
        ("late_max_ms", "ms", _F, "latest start after its due time"),
        ("drift_ms", "ms", _F, "last start against the first, by the periods counted since"),
        ("overruns", "", _C, "periods skipped, as a step was not over or nobody woke in time"),
    )
    return tuple(
        Channel(f"rate.{name}_{figure}", unit, "host", kind, f"group {name}: {text}", host=True)
        for figure, unit, kind, text in figures
    )


_ROWS: tuple[Channel, ...] = (
    # mode: what the node is told to be
    Channel("mode.current", "", "mode", _E, "operating mode", MODE_LABELS),
    Channel("mode.changes", "", "mode", _C, "mode changes since start"),
    Channel("mode.reset_cause", "", "mode", _E, "cause of the last reset", RESET_LABELS),
    Channel("mode.progress", "", "mode", _E, "how far it is come into the mode", PROGRESS_LABELS),
    Channel("mode.drifts_total", "", "mode", _C, "times a part has left its target"),
    Channel("mode.boot_count", "", "mode", _C, "starts of the node since it was made"),
    Channel("reset.planned", "", "mode", _B, "the last reset was somebody's wish"),
    Channel("reset.unplanned_in_a_row", "", "mode", _C, "unplanned starts without a good flight"),
    Channel("reset.power_cut", "", "mode", _C, "starts after a power cut"),
    Channel("reset.commanded", "", "mode", _C, "starts after a command"),
    Channel("reset.watchdog", "", "mode", _C, "starts after a watchdog"),
    Channel("reset.software", "", "mode", _C, "starts after the death of the process"),
    Channel("reset.stopped", "", "mode", _C, "starts after an orderly stop"),
    Channel("reset.other", "", "mode", _C, "starts after anything else"),
    Channel("reset.record_failures", "", "mode", _C, "beats of the boot record not written"),
    # sensed and estimated power
    Channel("power.array_w", "W", "power", _F, "solar array output"),
    Channel("power.bus_w", "W", "power", _F, "all loads on the bus"),
    Channel("power.payload_w", "W", "power", _F, "compute board"),
    Channel("power.laser_w", "W", "power", _F, "laser terminal"),
    Channel("power.soc_estimate", "1", "power", _F, "state of charge as estimated on board"),
    Channel(
        "power.soc_quality",
        "",
        "power",
        _E,
        "how the estimate was made",
        ("none", "voltage", "coulomb", "fused"),
    ),
    Channel("power.eclipse_in_s", "s", "power", _F, "time to the next eclipse; 0 inside one"),
    Channel("power.sun_in_s", "s", "power", _F, "time to the next sunrise; 0 in the sun"),
    Channel(
        "power.reserve_soc", "1", "power", _F, "state of charge to keep until the next sunrise"
    ),
    Channel("battery.voltage_v", "V", "power", _F, "terminal voltage"),
    Channel("battery.current_a", "A", "power", _F, "current, discharge positive"),
    Channel("battery.temp_c", "degC", "power", _F, "cell temperature"),
    Channel("battery.heater_on", "", "power", _B, "battery heater, read back"),
    # thermal and its governor
    Channel("thermal.die_c", "degC", "thermal", _F, "compute die"),
    Channel("thermal.sink_c", "degC", "thermal", _F, "board and heat sink"),
    Channel("thermal.radiator_c", "degC", "thermal", _F, "radiator"),
    Channel("thermal.terminal_c", "degC", "thermal", _F, "laser terminal"),
    Channel("thermal.die_predicted_c", "degC", "thermal", _F, "die at the guard's horizon"),
    Channel("governor.level", "", "thermal", _C, "payload level commanded; 0 is off"),
    Channel("governor.level_actual", "", "thermal", _C, "payload level read back"),
    Channel(
        "governor.throttle_reason",
        "",
        "thermal",
        _E,
        "why the level is not the best one",
        THROTTLE_LABELS,
    ),
    Channel("governor.throttled_s", "s", "thermal", _F, "throttled time since start"),
    Channel("plan.level", "", "thermal", _F, "payload level of the plan; -1 without one"),
    Channel(
        "plan.standing", "", "thermal", _E, "how far there is a plan", ("none", "stale", "fresh")
    ),
    Channel("plan.age_s", "s", "thermal", _F, "since the plan in force was made"),
    Channel("plan.price_energy", "1/kJ", "thermal", _F, "frames that a kilojoule would be worth"),
    Channel("plan.price_heat", "1/kJ", "thermal", _F, "frames a kilojoule less heat is worth"),
    Channel("plan.price_time", "1/s", "thermal", _F, "frames a second of payload is worth"),
    Channel("plan.price_link", "1/MB", "thermal", _F, "frames a megabyte more of link is worth"),
    Channel("learned.base_w", "W", "thermal", _F, "loads beside payload and laser, as learned"),
    Channel("learned.array_w", "W", "thermal", _F, "array in full light, as learned"),
    Channel("learned.radiator_w", "W", "thermal", _F, "heat of the radiator beyond the model's"),
    Channel("learned.capacity", "1", "thermal", _F, "battery's charge over the rated, as learned"),
    # inference
    Channel("inference.enabled", "", "inference", _B, "the ground allows inference"),
    Channel("inference.jobs_total", "", "inference", _C, "jobs finished"),
    Channel("inference.refused_total", "", "inference", _C, "frames refused by admission"),
    Channel("inference.refused_room_total", "", "inference", _C, "of these, for want of room"),
    Channel("inference.dropped_total", "", "inference", _C, "frames lost before admission"),
    Channel("inference.failed_total", "", "inference", _C, "jobs that ended in an error"),
    Channel("inference.products_total", "", "inference", _C, "products made"),
    Channel("inference.last_ms", "ms", "inference", _F, "duration of the last job"),
    Channel("inference.energy_j", "J", "inference", _F, "energy of all jobs"),
    Channel("inference.clear_fraction", "1", "inference", _F, "clear share of the last tile"),
    Channel("inference.doubts_total", "", "inference", _C, "answers that were looked at twice"),
    Channel("inference.repairs_total", "", "inference", _C, "pieces of live weights put right"),
    Channel("inference.reruns_total", "", "inference", _C, "runs beyond the first of a tile"),
    Channel("inference.rebuilds_total", "", "inference", _C, "sessions and workers built again"),
    Channel("inference.screened_total", "", "inference", _C, "frames the cheap network did alone"),
    Channel("inference.last_j", "J", "inference", _F, "energy of the last frame, if known"),
    Channel("inference.energy_modelled", "", "inference", _B, "its energy is the profile's"),
    # queue and store
    Channel("queue.products", "", "queue", _C, "products waiting or partly sent"),
    Channel("queue.bytes", "B", "queue", _F, "bytes still to be acknowledged"),
    Channel("queue.high_water_bytes", "B", "queue", _F, "most bytes ever waiting"),
    Channel("queue.dropped_total", "", "queue", _C, "products evicted or expired"),
    Channel("queue.delivered_total", "", "queue", _C, "products acknowledged end to end"),
    Channel("queue.quota_dropped_total", "", "queue", _C, "of the dropped, over their quota"),
    Channel("queue.held_back_total", "", "queue", _C, "of the dropped, results too dull to keep"),
    Channel("queue.pressed", "", "queue", _B, "near a bound: only what is denser is made"),
    Channel("queue.imaging_bytes", "B", "queue", _F, "of results, waiting"),
    Channel("queue.telemetry_bytes", "B", "queue", _F, "of recorded telemetry, waiting"),
    Channel("queue.commanding_bytes", "B", "queue", _F, "of what was asked for, waiting"),
    Channel("store.products", "", "queue", _C, "products on the store"),
    Channel("store.bytes", "B", "queue", _F, "payload bytes on the store"),
    Channel("store.commits_total", "", "queue", _C, "durable commits"),
    Channel("store.outstanding", "", "queue", _C, "requests that the medium has not answered"),
    Channel("store.failed", "", "queue", _B, "the store has failed, or its medium hangs"),
    Channel("store.damaged_total", "", "queue", _C, "records found not to verify"),
    Channel("store.repaired_total", "", "queue", _C, "of these, written again"),
    Channel("store.moved_bytes", "B", "queue", _F, "records moved so that a segment could go"),
    Channel("store.scrubbed_bytes", "B", "queue", _F, "records read and verified in passing"),
    # link
    Channel("link.pat_state", "", "link", _E, "pointing, acquisition and tracking", PAT_LABELS),
    Channel("link.peer", "", "link", _C, "peer pointed at; 0 is none"),
    Channel("link.laser_on", "", "link", _B, "laser, read back"),
    Channel("link.rx_power_dbm", "dBm", "link", _F, "received optical power"),
    Channel("link.frames_sent", "", "link", _C, "frames given to the terminal"),
    Channel("link.frames_retransmitted", "", "link", _C, "frames that repeat a lost segment"),
    Channel("link.segments_acked", "", "link", _C, "segments acknowledged"),
    Channel("link.reports_received", "", "link", _C, "reports taken"),
    Channel("link.frames_received", "", "link", _C, "uplink frames that passed every check"),
    Channel("link.frames_rejected", "", "link", _C, "uplink frames refused, any cause"),
    Channel("link.in_flight", "", "link", _C, "frames sent and not yet decided"),
    Channel("link.contact", "", "link", _C, "contact under way; 0 is none"),
    Channel("link.keep_outs", "", "link", _C, "times without light in force, ended ones too"),
    Channel("link.terminal_faults", "", "link", _C, "fault bits of the terminal; docs/terminal.md"),
    *(
        Channel(f"link.rejected_{verdict}", "", "link", _C, f"uplink frames refused: {why}")
        for verdict, why in FRAME_REFUSALS
    ),
    # the radio link, where there is one
    Channel("radio.contact", "", "radio", _C, "contact under way; 0 is none"),
    Channel("radio.locked", "", "radio", _B, "the modem has its peer"),
    Channel("radio.frames_sent", "", "radio", _C, "frames given to the modem"),
    Channel("radio.frames_lost", "", "radio", _C, "frames reported as lost"),
    Channel("radio.frames_refused", "", "radio", _C, "frames that the modem did not take"),
    Channel("radio.in_flight", "", "radio", _C, "frames sent and not yet decided"),
    Channel("radio.frames_received", "", "radio", _C, "uplink frames that passed every check"),
    Channel("radio.frames_rejected", "", "radio", _C, "uplink frames refused, any cause"),
    Channel("radio.packets_refused", "", "radio", _C, "packets foreign to it, or not trusted"),
    # commanding
    Channel("command.accepted_total", "", "command", _C, "telecommands accepted"),
    Channel("command.rejected_total", "", "command", _C, "telecommands rejected"),
    Channel("command.malformed_total", "", "command", _C, "telecommand packets not readable"),
    Channel("command.loss_in_s", "s", "command", _F, "time left on the command-loss timer"),
    Channel("command.duplicates_total", "", "command", _C, "rejected ones that were repeats"),
    Channel("command.running", "", "command", _C, "telecommands started and not ended"),
    Channel(
        "command.undurable_total", "", "command", _C, "commands without the store's word, or lost"
    ),
    Channel("command.armed", "", "command", _B, "a dangerous command was heard once"),
    Channel("load.state", "", "command", _E, "the working buffer of loads", LOAD_LABELS),
    Channel("load.bytes", "B", "command", _C, "octets of the load that have come"),
    Channel("load.size_bytes", "B", "command", _C, "octets that the load will have"),
    Channel("load.activated_total", "", "command", _C, "loads put in force since start"),
    Channel("load.refused_total", "", "command", _C, "requests about loads refused since start"),
    Channel("sequence.running", "", "command", _C, "sequences under way, held ones included"),
    Channel("sequence.held", "", "command", _C, "sequences held"),
    Channel("sequence.started_total", "", "command", _C, "sequences started since start"),
    Channel("sequence.completed_total", "", "command", _C, "sequences that ended well since start"),
    Channel("sequence.aborted_total", "", "command", _C, "sequences aborted since start"),
    Channel("sequence.steps_total", "", "command", _C, "steps done since start"),
    Channel("sequence.skipped_total", "", "command", _C, "steps skipped, their instant was past"),
    Channel("sequence.doubtful_total", "", "command", _C, "steps that a reset left in doubt"),
    Channel("sequence.on_board", "", "command", _C, "sequences that can be started"),
    Channel("sequence.on_board_bytes", "B", "command", _C, "octets of the uploaded ones"),
    *(
        Channel(f"command.rejected_{reason}", "", "command", _C, f"telecommands rejected: {why}")
        for reason, why in COMMAND_REFUSALS
    ),
    Channel("command.failed_total", "", "command", _C, "telecommands begun and not completed"),
    Channel("command.foreign_total", "", "command", _C, "authentic packets that are no uplink's"),
    # events and the house itself
    Channel("event.total", "", "system", _C, "events raised"),
    Channel("event.suppressed_total", "", "system", _C, "events held back by the throttle"),
    Channel("event.dropped_total", "", "system", _C, "events lost to a full queue"),
    Channel("event.filtered_total", "", "system", _C, "events held back by command"),
    Channel("event.filter_severity", "", "system", _E, "events below are held back", SEVERITIES),
    Channel("event.filter_held", "", "system", _C, "events held back one by one"),
    Channel("system.cycles", "", "system", _C, "executive cycles"),
    Channel("system.overruns", "", "system", _C, "cycles that began late"),
    Channel("system.hal_errors", "", "system", _C, "HAL calls that failed"),
    Channel("system.invalid_sensors", "", "system", _C, "sensor fields invalid in the last frame"),
    Channel("system.restarts", "", "system", _C, "services restarted by the supervisor"),
    Channel("system.stale_channels", "", "system", _C, "channels older than their age"),
    # time: the correlation of UTC to mission time
    Channel("time.utc_offset_s", "s", "time", _F, "Unix time less mission time"),
    Channel("time.utc_quality", "", "time", _E, "how far UTC is to be trusted", UTC_LABELS),
    Channel("time.correlation_age_s", "s", "time", _F, "since UTC was last read and believed"),
    Channel("time.steps_total", "", "time", _C, "steps of UTC since start"),
    Channel("time.last_step_s", "s", "time", _F, "latest step of UTC, forward positive"),
    # health: whether it may be used; recoveries
    *HEALTH_CHANNELS,
    Channel("sys.rss_mib", "MiB", "host", _F, "resident memory of the flight process", host=True),
    Channel("sys.cpu_s", "s", "host", _F, "processor time of the flight process", host=True),
    Channel("tick.overruns", "", "host", _C, "ticks that the loop did not take in time", host=True),
    Channel("tick.missed", "", "host", _C, "ticks that the timer thread slept through", host=True),
    Channel(
        "tick.lateness_max_us", "us", "host", _F, "latest wake-up of the timer thread", host=True
    ),
    *(row for name in RATE_GROUPS for row in _rate_channels(name)),
    Channel("guard.trips", "", "host", _C, "times the dead-man has made the node safe", host=True),
    Channel("guard.tripped", "", "host", _B, "it holds payload and laser off", host=True),
    Channel("guard.watchers", "", "host", _C, "its watchers at work, at best 2", host=True),
    Channel("terminal.line", "", "host", _E, "serial line to the terminal", LINE_LABELS, host=True),
    Channel("terminal.sessions", "", "host", _C, "sessions with the terminal", host=True),
    Channel("terminal.line_losses", "", "host", _C, "times its device went away", host=True),
    Channel("terminal.rx_corrupt", "", "host", _C, "messages damaged on its line", host=True),
    Channel("terminal.rx_lost", "", "host", _C, "messages missing on its line", host=True),
    Channel("bridge.connected", "", "host", _B, "an MQTT broker has us", host=True),
    Channel("bridge.waiting", "", "host", _C, "messages waiting for the broker", host=True),
    Channel("bridge.dropped_total", "", "host", _C, "messages with no room to wait", host=True),
    Channel("bridge.refused_total", "", "host", _C, "command messages refused", host=True),
    Channel("bridge.cut_total", "", "host", _C, "brokers hung up on for a flood", host=True),
)

CHANNELS: tuple[Channel, ...] = tuple(with_traits(row) for row in (*_ROWS, *queue_channels()))
