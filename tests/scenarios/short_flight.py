"""Short synthetic scenarios flown whole, for tests that look at node, link and ground together."""

from pathlib import Path

import msgspec

from hil.scenario import TimelineEntry, load_scenario
from hil.sim_target import SimTarget

HERE = Path(__file__).parent


def scenario(name, *, timeline=(), ground=None, node=None, **changes):
    """A scenario of this folder, changed: sections by key, timeline entries as dictionaries."""
    base = load_scenario(str(HERE / f"{name}.toml"))
    replace = msgspec.structs.replace
    if timeline:
        changes["timeline"] = tuple(msgspec.convert(entry, TimelineEntry) for entry in timeline)
    if ground:
        changes["ground"] = replace(base.ground, **ground)
    for section, values in (node or {}).items():
        part = getattr(base.node, section)
        changes.setdefault("node", base.node)
        new = {**part, **values} if isinstance(part, dict) else replace(part, **values)
        changes["node"] = replace(changes["node"], **{section: new})
    return replace(base, **changes)


def fly(flown, folder):
    """The target after the whole scenario; the node is switched off."""
    target = SimTarget(flown, folder)
    target.start()
    target.advance(flown.duration_s)
    target.finish()
    return target


def events(target, name, source="flight"):
    """Events of one name, oldest first."""
    return [e for e in target.world.recorder.events if e.name == name and e.source == source]


def assert_nothing_lost_or_doubled(target):
    """The two promises of the downlink, whatever happened."""
    assert target.world.ledger.freed_but_missing(target.world.archive) == 0
    assert target.world.ground.receiver.counters.duplicate_deliveries == 0
    assert target.world.ground.receiver.counters.digest_failures == 0
    assert dict(target.world.ground.frames_refused) == {}
