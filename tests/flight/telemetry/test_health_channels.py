from flight.fdir.recovery_row import RowState
from flight.fdir.safety_tables import RECOVERIES
from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS
from flight.telemetry.health_channels import (
    COMPONENTS,
    RECOVERY_SLUGS,
    RETRYING_SLUGS,
    ROW_LABELS,
)


def test_every_row_of_the_recovery_table_has_its_channels_and_no_other_has():
    by_precedence = sorted(RECOVERIES, key=lambda row: row.precedence)
    assert tuple(row.name.replace(" ", "_") for row in by_precedence) == RECOVERY_SLUGS
    retrying = tuple(row.name.replace(" ", "_") for row in by_precedence if row.retry)
    assert retrying == RETRYING_SLUGS
    for slug in RECOVERY_SLUGS:
        assert f"recovery.{slug}_shadow" in CHANNEL_INDEX
        assert (f"recovery.{slug}_left" in CHANNEL_INDEX) == (slug in RETRYING_SLUGS)


def test_the_words_of_a_row_are_those_of_the_table():
    assert tuple(state.name.lower() for state in RowState) == ROW_LABELS


def test_every_component_has_a_word():
    shown = [channel for channel in CHANNELS if channel.group == "health" and channel.labels]
    assert [channel.name for channel in shown] == [f"health.{name}" for name in COMPONENTS]
