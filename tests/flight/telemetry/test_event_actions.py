"""What to do about an event: there for each that warns, and about things that exist."""

import re

from flight.telemetry.definitions import Health
from flight.telemetry.dictionary import (
    CHANNELS,
    COMMAND_BY_NAME,
    EVENT_BY_NAME,
    EVENTS,
    PARAMETER_BY_NAME,
    Severity,
)
from flight.telemetry.event_actions import EVENT_ACTIONS


def test_every_event_that_warns_says_what_to_do_and_no_other_does():
    loud = {event.name for event in EVENTS if event.severity >= Severity.WARNING}
    assert set(EVENT_ACTIONS) == loud, "flight/telemetry/event_actions.py"
    for action in EVENT_ACTIONS.values():
        assert action.endswith(".")


def test_an_action_names_only_commands_events_and_words_that_there_are():
    known = {*COMMAND_BY_NAME, *EVENT_BY_NAME, *Health.__members__}
    for action in EVENT_ACTIONS.values():
        assert set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", action)) <= known


def test_a_channel_or_parameter_that_an_action_names_is_in_the_dictionary():
    groups = {channel.name.partition(".")[0] for channel in CHANNELS}
    names = {channel.name for channel in CHANNELS} | set(PARAMETER_BY_NAME)
    for action in EVENT_ACTIONS.values():
        for name in re.findall(r"\b[a-z]+\.[a-z_]+\b", action):
            if name.partition(".")[0] in groups and not name.endswith(".md"):
                assert name in names, action
