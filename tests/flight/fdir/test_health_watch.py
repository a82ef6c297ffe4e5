from flight.base.supervisor import SupervisionEvent, SupervisionKind
from flight.fdir.health_monitor import Heartbeat
from flight.fdir.health_table import HealthCause
from flight.fdir.health_watch import DOUBT_NS_MAX, WELL_AFTER_NS, HealthWatch
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Health
from flight.telemetry.event_log import EventLog

S = 1_000_000_000
WELL_S = WELL_AFTER_NS // S


class Room:
    """A watch over the contact loop, which beats as often as it is looked at unless it hangs."""

    def __init__(self):
        self.told = []
        self.channels = ChannelValues()
        self.watch = HealthWatch(self.channels, EventLog(1_000, self.told.append))
        self.heart, self.t = Heartbeat(), 0
        self.watch.monitor.watch("downlink", self.heart.read, limit_ns=5 * S, now_ns=0)

    def cycles(self, count=1, *, hangs=False):
        for _ in range(count):
            self.t += 1
            if not hangs:
                self.heart.beat()
            self.watch.step(self.t * S)
        return self.watch.conditions

    def supervised(self, kind, child="downlink"):
        self.watch.on_supervision(
            SupervisionEvent(
                kind=kind, child=child, at_ns=self.t * S, critical=False, restarts=0, error="x"
            )
        )

    def names(self):
        return [(event.name, event.args.get("new", "")) for event in self.told]

    @property
    def word(self):
        shown = self.channels.get("health.downlink")
        assert shown == self.watch.table["downlink"]
        return Health(int(shown))


def test_who_counts_on_is_healthy_and_nothing_is_told():
    room = Room()
    assert room.cycles(100) == ()
    assert (room.word, room.told) == (Health.HEALTHY, [])


def test_a_heartbeat_that_stands_still_is_told_once_and_is_a_condition_while_it_lasts():
    room = Room()
    room.cycles(3)
    assert room.cycles(5, hangs=True) == ()
    for _ in range(20):
        conditions = room.cycles(1, hangs=True)
        assert conditions == ("health.downlink.needs_recovery", "health.downlink.stalled")
    assert room.names() == [("HEARTBEAT_LOST", ""), ("HEALTH_CHANGED", "needs_recovery")]
    assert room.channels.get("health.stalls_total") == 1


def test_it_is_well_again_only_after_it_went_on_for_a_while():
    room = Room()
    room.cycles(8, hangs=True)
    assert room.cycles(WELL_S - 1) == ("health.downlink.needs_recovery",)
    assert room.cycles(1) == ()
    assert room.word is Health.HEALTHY


def test_a_service_that_crashes_again_and_again_does_not_flap():
    room = Room()
    for _ in range(5):
        room.supervised(SupervisionKind.FAILED)
        room.cycles(2, hangs=True)
        room.supervised(SupervisionKind.STARTED)
        room.cycles(WELL_S - 2)
        assert room.word is Health.NEEDS_RECOVERY
    assert room.names() == [("HEALTH_CHANGED", "needs_recovery")]


def test_a_service_that_lives_a_little_longer_each_time_does_not_flap_either():
    room = Room()
    for life_s in (12, 12, 15, 20, 30, 12):
        room.supervised(SupervisionKind.STARTED)
        room.cycles(life_s)
        room.supervised(SupervisionKind.FAILED)
        room.cycles(2)
    assert room.names() == [("HEALTH_CHANGED", "needs_recovery")]
    room.supervised(SupervisionKind.STARTED)
    room.cycles(DOUBT_NS_MAX // S + 1)
    assert room.word is Health.HEALTHY


def test_a_service_that_waits_for_its_restart_is_not_stalled_too():
    room = Room()
    room.supervised(SupervisionKind.FAILED)
    assert room.cycles(60, hangs=True) == ("health.downlink.needs_recovery",)


def test_one_that_was_given_up_stays_faulty_until_the_ground_clears_it():
    room = Room()
    room.supervised(SupervisionKind.FAILED)
    room.supervised(SupervisionKind.GIVEN_UP)
    assert room.cycles(1_000, hangs=True) == ("health.downlink.faulty",)
    room.watch.apply("downlink", HealthCause.CLEARED, room.t * S)
    room.supervised(SupervisionKind.STARTED)
    room.cycles(WELL_S)
    assert room.word is Health.HEALTHY


def test_what_the_ground_has_taken_raises_no_condition_and_is_still_told():
    room = Room()
    room.watch.apply("downlink", HealthCause.TAKEN_OVER, 0)
    assert room.cycles(50, hangs=True) == ()
    assert ("HEARTBEAT_LOST", "") in room.names()
    assert room.word is Health.EXTERNAL_CONTROL


def test_a_companion_that_is_in_no_table_may_come_and_go():
    room = Room()
    for kind in SupervisionKind:
        room.supervised(kind, child="umbilical")
    assert room.cycles(3) == ()
    assert room.told == []


def test_a_reset_shows_what_the_ground_had_said():
    room = Room()
    room.watch.restore({"downlink": Health.PERMANENTLY_FAULTY, "gone": 3})
    assert room.word is Health.PERMANENTLY_FAULTY
    assert room.told == []


def test_who_stands_still_is_known_at_any_pace_and_the_ground_may_take_it_upon_itself():
    room = Room()
    room.cycles(3)
    assert room.watch.standing_still(8 * S) == ()
    assert room.watch.standing_still(9 * S) == ("downlink",)
    room.cycles(6, hangs=True)
    assert room.watch.stalled == ("downlink",)
    room.watch.apply("downlink", HealthCause.TAKEN_OVER, room.t * S)
    room.cycles(1, hangs=True)
    assert (room.watch.stalled, room.watch.standing_still(room.t * S)) == ((), ())
