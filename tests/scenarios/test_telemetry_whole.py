"""The whole node tells what it has: its queues, floods, parameters, groups, and its clocks."""

from math import isnan

from short_flight import scenario

from flight.base.supervisor import ChildSpec
from flight.telemetry.dictionary import CHANNEL_INDEX, EVENT_BY_NAME
from flight.telemetry.queue_table import QUEUES
from flight.wire.parameter_report import decode_parameters
from flight.wire.space_packet import Apid, decode_all
from flight.wire.telemetry import decode_event, decode_housekeeping
from hil.sim_target import SimTarget

S = 1_000_000_000
FAULTS = 100_000
SECONDS = 60


class Chatterer:
    """A component with a fault, a hundred thousand times in a minute; others say one word each."""

    name = "chatterer"

    def __init__(self, node, clock):
        self._node, self._clock = node, clock

    async def serve(self):
        emit = self._node.events.emit
        for second in range(SECONDS):
            now_ns = self._clock.now_ns()
            for _ in range(FAULTS // SECONDS + (second < FAULTS % SECONDS)):
                emit("SENSOR_STALE", now_ns, channel="chattering")
            emit("SENSOR_STALE", now_ns, channel=f"other{second}")
            await self._clock.sleep_until(now_ns + S)
        await self._clock.sleep_until(1 << 62)


class Chattering(SimTarget):
    """A node with such a component in it."""

    def _compose(self):
        node = super()._compose()
        clock = node._around.clock
        spec = ChildSpec(name="chatterer", factory=lambda: Chatterer(node, clock))
        object.__setattr__(node._around, "companions", lambda _node: [spec])
        return node


def recorded(node):
    """The packets that wait to become a recording: nothing is left out of them."""
    return decode_all(bytes(node._telemetry._recorder._buffer))


def flown(tmp_path, seconds, kind=SimTarget, **changes):
    target = kind(scenario("slow-relay", **changes), tmp_path)
    target.start()
    target.advance(seconds)
    return target


def test_a_flood_of_one_fault_is_few_events_told_in_full_and_hides_nobody_else(tmp_path):
    target = flown(tmp_path, SECONDS + 200, Chattering)
    node = target.node
    told = [decode_event(p.data) for p in recorded(node) if p.apid == Apid.EVENT]
    stale = EVENT_BY_NAME["SENSOR_STALE"].event_id
    channels = [record.args["channel"] for record in told if record.event_id == stale]
    assert {f"other{second}" for second in range(SECONDS)} <= set(channels)
    suppressed = [
        record.args for record in told
        if record.event_id == EVENT_BY_NAME["EVENTS_SUPPRESSED"].event_id
        and record.args["name"].endswith("chattering")
    ]  # fmt: skip
    chattered = channels.count("chattering")
    assert chattered + len(suppressed) < 50
    assert chattered + sum(args["count"] for args in suppressed) == FAULTS
    assert node.events.pending.dropped == 0
    target.finish()


def test_every_queue_of_the_node_tells_its_bound_and_its_losses(tmp_path):
    target = flown(tmp_path, 30)
    node = target.node
    needs_no_more = {queue.name for queue in QUEUES if not queue.on_host} - {"repairs"}
    assert node.queues.names == needs_no_more, "repairs, where the link has them configured"
    for name in node.queues.names:
        assert node.channels.get(f"queues.{name}_capacity") > 0
        assert node.channels.get(f"queues.{name}_dropped") >= 0
    target.finish()


def command(at_s, command, /, **arguments):
    return {"at_s": at_s, "action": "command", "command": command, "arguments": arguments}


def test_a_group_is_stopped_by_command_and_the_parameters_are_reported_by_command(tmp_path):
    target = flown(
        tmp_path,
        250,
        timeline=[
            command(10.0, "SET_PARAMETER", name="telemetry.thermal.enabled", value=0.0),
            command(11.0, "DUMP_PARAMETERS"),
            command(12.0, "FILTER_EVENTS", severity="WARNING"),
        ],
    )
    node = target.node
    packets = recorded(node)
    (report,) = [p for p in packets if p.apid == Apid.PARAMETERS]
    rows = {row.name: row for row in decode_parameters(report.data).rows}
    assert (rows["telemetry.thermal.enabled"].value, rows["telemetry.thermal.enabled"].differs) == (
        0.0,
        True,
    )
    thermal = [
        p.time_ns for p in packets
        if p.apid == Apid.HOUSEKEEPING and decode_housekeeping(p.data).group == "thermal"
    ]  # fmt: skip
    assert thermal
    assert max(thermal) < report.time_ns
    late = {
        decode_event(p.data).severity for p in packets
        if p.apid == Apid.EVENT and p.time_ns > report.time_ns + 20 * S
    }  # fmt: skip
    assert all(severity >= 3 for severity in late)
    assert node.channels.get("event.filtered_total") > 0
    target.finish()


def test_a_sensor_that_stops_is_flagged_in_the_packet_and_no_limit_fires_on_it(tmp_path):
    target = flown(
        tmp_path,
        90,  # by then the recording is not closed yet
        node={"parameters": {"telemetry.period_s": 1.0}},
        timeline=[{"at_s": 60.0, "for_s": 600.0, "action": "sensor_lost", "sensor": "die_mdegc"}],
    )
    node, die = target.node, CHANNEL_INDEX["thermal.die_c"]
    told = {}
    for packet in recorded(node):
        if packet.apid == Apid.HOUSEKEEPING:
            group = decode_housekeeping(packet.data)
            if group.group == "thermal":
                values = dict(zip(group.channels, group.values, strict=True))
                told[packet.time_ns // S] = values[die]
    assert not isnan(told[50])
    assert max(told) > 80
    assert all(isnan(value) for t, value in told.items() if t > 66)
    violated = EVENT_BY_NAME["LIMIT_VIOLATED"].event_id
    limits = [decode_event(p.data) for p in recorded(node) if p.apid == Apid.EVENT]
    assert [each.args for each in limits if each.event_id == violated] == []
    target.finish()
