from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.definitions import EventDef, Severity, event_text
from flight.telemetry.dictionary import EVENT_BY_NAME, EVENTS

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.just(float("nan")),
)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(EVENTS),
    st.dictionaries(
        st.sampled_from(["soc", "seconds", "name", "count", "error", "device", "kind"]), values
    ),
)
def test_telling_an_event_never_fails_whatever_its_arguments(definition, args):
    told = event_text(definition, args)
    assert told or "" in args.values()  # a sentence that is one argument says what that says


def test_a_missing_argument_shows_as_a_question_mark_even_behind_a_format():
    assert event_text(EVENT_BY_NAME["ECLIPSE_ENTERED"], {}) == "eclipse entered, battery at ?"


def test_an_argument_of_another_type_is_shown_as_it_is():
    text = event_text(EVENT_BY_NAME["COMMAND_LOSS"], {"seconds": "many"})
    assert text == "no valid command for many s"


def test_formats_apply_where_they_fit():
    definition = EventDef(9, "X", Severity.INFO, "{share:.0%} of {name}")
    assert event_text(definition, {"share": 0.5, "name": "all"}) == "50% of all"
