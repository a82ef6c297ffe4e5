from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from flight.modes.mode_table import DWELL_NS, TRANSITIONS, ModeInputs, ModeMachine
from flight.telemetry.definitions import Mode

S = 1_000_000_000
CALM = {
    "checks_done": True,
    "boot_failed": False,
    "danger": "",
    "kept_safe": "",
    "battery_low": False,
    "contact_active": False,
    "wanted": Mode.COMPUTE,
    "command": None,
}
inputs = st.builds(
    ModeInputs,
    checks_done=st.booleans(),
    boot_failed=st.booleans(),
    danger=st.sampled_from(["", "battery low", "die too hot"]),
    kept_safe=st.sampled_from(["", "", "command"]),
    battery_low=st.booleans(),
    contact_active=st.booleans(),
    wanted=st.sampled_from([Mode.IDLE, Mode.COMPUTE]),
    command=st.sampled_from([None, None, Mode.SAFE, Mode.IDLE, Mode.COMPUTE]),
)
walks = st.lists(st.tuples(inputs, st.integers(0, 20)), max_size=40)
PROPERTY = settings(deadline=None, max_examples=200)


def given_inputs(**changed):
    return ModeInputs(**(CALM | changed))


def machine_in(mode):
    machine = ModeMachine(0)
    machine.mode = mode
    return machine


def walk(steps):
    """Each step's (mode before, inputs, change, mode after)."""
    machine, now_ns = ModeMachine(0), 0
    for seen, seconds in steps:
        now_ns += seconds * S
        before = machine.mode
        yield before, seen, machine.step(seen, now_ns), machine.mode


@PROPERTY
@given(walks)
def test_safe_is_left_by_command_only_and_only_while_nothing_is_wrong(steps):
    for before, seen, change, after in walk(steps):
        if before is Mode.SAFE and after is not Mode.SAFE:
            assert seen.command in (Mode.IDLE, Mode.COMPUTE)
            assert not seen.danger
            assert after is Mode.IDLE
            assert change.cause == "command"


@PROPERTY
@given(walks)
def test_no_wish_outruns_a_danger(steps):
    for _, seen, _, after in walk(steps):
        if seen.danger:
            assert after is Mode.SAFE


@PROPERTY
@given(walks)
def test_a_failed_boot_never_ends_in_a_nominal_mode(steps):
    for before, seen, _, after in walk(steps):
        if before is Mode.BOOT and seen.boot_failed:
            assert after is Mode.SAFE


@PROPERTY
@given(walks)
def test_a_reset_is_no_way_out_of_safe(steps):
    for before, seen, change, after in walk(steps):
        if before is Mode.BOOT and seen.kept_safe:
            assert after is Mode.SAFE
            assert change.cause


@PROPERTY
@given(walks)
def test_boot_is_never_entered_again_and_every_change_says_why(steps):
    count = 0
    for before, _, change, after in walk(steps):
        count += change is not None
        assert (change is not None) == (before is not after)
        if change is not None:
            assert (change.old, change.new) == (before, after)
            assert change.cause
            assert after is not Mode.BOOT


@PROPERTY
@given(walks)
def test_the_laser_is_only_used_in_a_contact_and_the_mode_ends_with_it(steps):
    for before, seen, _, after in walk(steps):
        if after is Mode.DOWNLINK:
            assert seen.contact_active
            if before is not Mode.DOWNLINK:
                assert not seen.battery_low


def test_wishes_that_change_every_cycle_move_the_mode_once_a_dwell_at_most():
    machine = machine_in(Mode.IDLE)
    changes = []
    for t in range(60):
        wanted = Mode.COMPUTE if t % 2 else Mode.IDLE
        change = machine.step(given_inputs(wanted=wanted), t * S)
        if change:
            changes.append(t)
    assert changes
    assert all(b - a >= DWELL_NS // S for a, b in pairwise(changes))


def test_a_danger_waits_for_no_dwell():
    machine = machine_in(Mode.IDLE)
    assert machine.step(given_inputs(), DWELL_NS).new is Mode.COMPUTE
    change = machine.step(given_inputs(danger="battery low"), DWELL_NS + 1)
    assert (change.new, change.cause) == (Mode.SAFE, "battery low")


def test_after_a_contact_the_node_does_what_it_would_do_without_one():
    for wanted, low, then in (
        (Mode.COMPUTE, False, Mode.COMPUTE),
        (Mode.COMPUTE, True, Mode.IDLE),
        (Mode.IDLE, False, Mode.IDLE),
    ):
        machine = machine_in(Mode.DOWNLINK)
        machine.step(given_inputs(wanted=wanted, battery_low=low), 0)
        assert machine.mode is then


def test_every_row_can_fire():
    fired = set()
    for mode in Mode:
        for danger in ("", "x"):
            for command in (None, Mode.SAFE, Mode.IDLE):
                for bits in range(32):
                    seen = given_inputs(
                        danger=danger,
                        kept_safe="y" if bits & 16 else "",
                        command=command,
                        boot_failed=bool(bits & 1),
                        battery_low=bool(bits & 2),
                        contact_active=bool(bits & 4),
                        wanted=Mode.IDLE if bits & 8 else Mode.COMPUTE,
                    )
                    machine = machine_in(mode)
                    change = machine.step(seen, DWELL_NS)
                    if change:
                        cause = {"x": "criterion", "as before, y": "as before"}.get(
                            change.cause, change.cause
                        )
                        fired.add((mode, change.new, cause))
    for row in TRANSITIONS:
        for mode in row.source:
            assert (mode, row.target, row.cause) in fired
