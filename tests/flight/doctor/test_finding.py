from flight.doctor.finding import Finding, State, found, told


def test_a_line_names_state_name_detail_and_remedy():
    finding = Finding("disk", State.MISSING, "1 MB", "free some")
    assert told(finding, 6) == "missing      disk    1 MB; free some"


def test_what_needs_no_remedy_is_well():
    assert found("a", "b").state is State.OK
    assert found("a", "b", "do").state is State.MISSING
    assert found("a", "b", "do", needed=True).needed
