from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.health_table import (
    BY_COMMAND,
    LASTING,
    TRANSITIONS,
    HealthCause,
    HealthTable,
)
from flight.telemetry.definitions import Health

causes = st.sampled_from(list(HealthCause))
OBSERVED = [cause for cause in HealthCause if cause not in BY_COMMAND]


def table_in(word):
    table = HealthTable(["x", "other"])
    for cause in {
        Health.HEALTHY: (),
        Health.NEEDS_RECOVERY: (HealthCause.FAILED,),
        Health.FAULTY: (HealthCause.GIVEN_UP,),
        Health.EXTERNAL_CONTROL: (HealthCause.TAKEN_OVER,),
        Health.PERMANENTLY_FAULTY: (HealthCause.CONDEMNED,),
    }[word]:
        table.apply("x", cause)
    assert table["x"] is word
    return table


def test_every_word_can_be_reached_and_left():
    assert set(TRANSITIONS.values()) == set(Health)
    assert {old for old, _ in TRANSITIONS} == set(Health)


def test_every_row_changes_the_word_and_tells_where_from_where_to_and_why():
    for (old, cause), new in TRANSITIONS.items():
        table = table_in(old)
        change = table.apply("x", cause)
        assert old is not new
        assert (change.component, change.old, change.new, change.cause) == ("x", old, new, cause)
        assert table["x"] is new
        assert table["other"] is Health.HEALTHY


def test_a_pair_without_a_row_changes_nothing_and_tells_nothing():
    for old in Health:
        for cause in HealthCause:
            if (old, cause) not in TRANSITIONS:
                table = table_in(old)
                assert table.apply("x", cause) is None
                assert table["x"] is old


def test_no_observation_brings_back_what_the_ground_has_taken_or_condemned():
    for word in LASTING:
        for cause in OBSERVED:
            table = table_in(word)
            assert table.apply("x", cause) is None


def test_a_failure_that_is_over_is_healthy_again_and_one_that_was_given_up_waits_for_the_ground():
    table = table_in(Health.NEEDS_RECOVERY)
    table.apply("x", HealthCause.WELL)
    assert table["x"] is Health.HEALTHY
    table = table_in(Health.FAULTY)
    assert table.apply("x", HealthCause.WELL) is None
    table.apply("x", HealthCause.CLEARED)
    table.apply("x", HealthCause.WELL)
    assert table["x"] is Health.HEALTHY


def test_only_what_is_permanently_faulty_may_not_be_used():
    usable = {word: table_in(word).usable("x") for word in Health}
    assert usable == {word: word is not Health.PERMANENTLY_FAULTY for word in Health}


def test_its_conditions_are_the_two_words_that_ask_for_an_answer():
    said = {word: table_in(word).conditions for word in Health}
    assert said == {
        Health.HEALTHY: (),
        Health.NEEDS_RECOVERY: ("health.x.needs_recovery",),
        Health.FAULTY: ("health.x.faulty",),
        Health.EXTERNAL_CONTROL: (),
        Health.PERMANENTLY_FAULTY: (),
    }


def test_what_is_not_in_the_table_has_no_health():
    table = HealthTable(["x"])
    assert table.apply("stranger", HealthCause.FAILED) is None
    assert "stranger" not in table
    assert "x" in table


def test_a_reset_keeps_what_the_ground_said_and_forgets_what_was_observed():
    table = HealthTable(["a", "b", "c", "d"])
    table.apply("a", HealthCause.TAKEN_OVER)
    table.apply("b", HealthCause.CONDEMNED)
    table.apply("c", HealthCause.GIVEN_UP)
    after = HealthTable(["a", "b", "c", "d"])
    after.restore(table.lasting())
    assert after.words() == {
        "a": Health.EXTERNAL_CONTROL,
        "b": Health.PERMANENTLY_FAULTY,
        "c": Health.HEALTHY,
        "d": Health.HEALTHY,
    }


def test_a_record_of_another_software_brings_no_strange_component_and_no_strange_word():
    table = HealthTable(["a", "b"])
    table.restore({"gone": 4, "a": 2, "b": 77})
    assert table.words() == {"a": Health.HEALTHY, "b": Health.HEALTHY}


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from("ab"), causes), max_size=40))
def test_conditions_always_say_the_words_and_nothing_else(steps):
    table = HealthTable(["a", "b"])
    for component, cause in steps:
        before = table[component]
        change = table.apply(component, cause)
        assert (change is None) == (table[component] is before)
        asked = [
            f"health.{name}.{word.name.lower()}"
            for name, word in table.words().items()
            if word in (Health.FAULTY, Health.NEEDS_RECOVERY)
        ]
        assert list(table.conditions) == asked
