import contextlib

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.dictionary import PARAMETERS
from flight.wire.errors import WireError, WireReason
from flight.wire.parameter_report import (
    PER_PACKET,
    ReportedParameter,
    decode_parameters,
    encode_parameters,
)

rows = st.lists(
    st.builds(
        ReportedParameter,
        st.sampled_from([p.name for p in PARAMETERS]),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
    ),
    max_size=3 * PER_PACKET,
)


@settings(max_examples=examples(50), deadline=None)
@given(rows)
def test_a_report_reads_back_as_it_was_made_in_packets_that_fit_a_frame(given_rows):
    packets = encode_parameters(given_rows)
    assert all(len(data) < 2_048 - 60 for data in packets)
    parts = [decode_parameters(data) for data in packets]
    assert [part.part for part in parts] == list(range(len(packets)))
    assert [row for part in parts for row in part.rows] == given_rows


@given(st.binary(max_size=60), st.booleans())
def test_any_octets_raise_nothing_but_the_named_error(raw, tagged):
    (good,) = encode_parameters([ReportedParameter(PARAMETERS[0].name, 1.0, differs=False)])
    with contextlib.suppress(WireError):
        decode_parameters(good[:4] + raw if tagged else raw)


def test_another_dictionary_is_said_to_be_one():
    (good,) = encode_parameters([ReportedParameter(PARAMETERS[0].name, 1.0, differs=False)])
    with pytest.raises(WireError) as refused:
        decode_parameters(bytes([good[0] ^ 1]) + good[1:])
    assert refused.value.reason is WireReason.BAD_VERSION
