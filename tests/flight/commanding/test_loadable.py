"""Each verdict on a load is one reason on the wire, so that the operator reads what went wrong."""

from flight.commanding.loadable import LoadVerdict
from flight.wire.telecommand import CommandReason, Stage, VerificationReport, decode_report
from flight.wire.telecommand import encode_report as encoded


def test_every_verdict_is_one_reason_that_the_ground_can_read():
    reasons = [verdict.value for verdict in LoadVerdict]
    assert len(set(reasons)) == len(LoadVerdict.__members__) == len(reasons)
    for verdict in LoadVerdict:
        report = VerificationReport(7, Stage.FAILED, verdict.value)
        assert decode_report(encoded(report)) == report
    assert LoadVerdict.OK.value is CommandReason.NONE
