"""Every event of the node: number, name, severity, sentence. Numbers are never reused."""

from __future__ import annotations

from flight.telemetry.definitions import EventDef, Severity

_D, _I, _N = Severity.DEBUG, Severity.INFO, Severity.NOTICE
_W, _A, _X = Severity.WARNING, Severity.ALARM, Severity.FATAL

EVENTS: tuple[EventDef, ...] = (
    EventDef(1, "BOOTED", _N, "start {boot_count}, reset cause {cause}, software {version}"),
    EventDef(2, "MODE_CHANGED", _N, "mode {old} to {new}: {cause}"),
    EventDef(3, "MODE_REFUSED", _W, "mode {wanted} refused in {mode}: {reason}"),
    EventDef(4, "SHUTDOWN", _N, "stopping: {cause}"),
    EventDef(5, "SERVICE_FAILED", _A, "service {name} failed: {error}", "name"),
    EventDef(6, "SERVICE_RESTARTED", _W, "service {name} restarted, attempt {attempt}", "name"),
    EventDef(7, "SERVICE_GIVEN_UP", _A, "service {name} failed too often", "name"),
    EventDef(10, "THROTTLED", _N, "payload level {level}: {reason}"),
    EventDef(11, "THROTTLE_CLEARED", _I, "payload back to its best level {level}"),
    EventDef(12, "LIMIT_VIOLATED", _W, "{limit}: {value} beyond {bound}", "limit"),
    EventDef(13, "LIMIT_CLEARED", _N, "{limit}: {value} back inside {bound}", "limit"),
    EventDef(14, "SENSOR_STALE", _W, "{channel} is stale or invalid", "channel"),
    EventDef(15, "RECOVERY_FIRED", _A, "{condition}: {response}", "condition"),
    EventDef(16, "ECLIPSE_ENTERED", _I, "eclipse entered, battery at {soc:.0%}"),
    EventDef(17, "ECLIPSE_LEFT", _I, "eclipse left, battery at {soc:.0%}"),
    EventDef(18, "HAL_FAILED", _W, "HAL {device}: {kind}", "device"),
    EventDef(20, "INFERENCE_ENABLED", _N, "inference enabled by {source}"),
    EventDef(21, "INFERENCE_DISABLED", _N, "inference disabled by {source}"),
    EventDef(22, "MODEL_LOADED", _I, "model {model} {variant}, hash {hash}"),
    EventDef(23, "INFERENCE_FAILED", _W, "job {job} failed: {error}"),
    EventDef(24, "OUTPUT_IMPLAUSIBLE", _W, "job {job}: {reason}"),
    EventDef(25, "FRAMES_DROPPED", _W, "{count} frames lost before admission"),
    EventDef(30, "PRODUCT_CREATED", _D, "product {product}: {name}, {size} B, value {value}"),
    EventDef(31, "PRODUCT_DURABLE", _D, "{count} products durable"),
    EventDef(32, "PRODUCT_DELIVERED", _D, "product {product} delivered end to end"),
    EventDef(33, "PRODUCT_EVICTED", _W, "product {product} evicted: {reason}"),
    EventDef(34, "PRODUCT_EXPIRED", _N, "product {product} expired"),
    EventDef(35, "PRODUCT_DELETED", _N, "product {product} deleted by {source}"),
    EventDef(36, "QUEUE_FULL", _W, "downlink queue full: {bytes} B waiting"),
    EventDef(37, "STORE_FAILED", _A, "product store: {kind}"),
    EventDef(38, "STORE_RECOVERED", _N, "{products} products recovered, {bytes} B, {torn} torn"),
    EventDef(40, "CONTACT_STARTED", _N, "contact {contact} with {peer} begins"),
    EventDef(41, "LINK_ACQUIRED", _N, "link with {peer} acquired after {seconds:.1f} s"),
    EventDef(42, "LINK_LOST", _W, "link with {peer} lost in {state}"),
    EventDef(
        43,
        "CONTACT_ENDED",
        _N,
        "contact {contact} with {peer} ends: {frames} frames, {products} products",
    ),
    EventDef(44, "CONTACT_FAILED", _W, "contact {contact} with {peer}: never acquired"),
    EventDef(45, "RECONCILED", _N, "reconciled {products} products with the ground"),
    EventDef(46, "REPORT_REJECTED", _W, "report refused: {reason}"),
    EventDef(47, "PAT_STATE", _D, "terminal {old} to {new}: {cause}"),
    EventDef(50, "COMMAND_ACCEPTED", _I, "command {command} {name} accepted"),
    EventDef(51, "COMMAND_COMPLETED", _I, "command {command} {name} completed"),
    EventDef(52, "COMMAND_REJECTED", _W, "command {command} rejected: {reason}"),
    EventDef(53, "COMMAND_FAILED", _W, "command {command} {name} failed: {reason}"),
    EventDef(54, "FRAME_REJECTED", _W, "uplink frame refused: {verdict}"),
    EventDef(55, "COMMAND_LOSS", _A, "no valid command for {seconds:.0f} s"),
    EventDef(56, "PARAMETER_SET", _N, "{name} = {value}"),
    EventDef(60, "EVENTS_SUPPRESSED", _N, "{count} times {name} suppressed"),
    EventDef(61, "FATAL_ERROR", _X, "{error}"),
)
