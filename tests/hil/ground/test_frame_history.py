"""Reports about frames say the truth, in few octets, and leave none untold."""

from flight.wire.report import decode
from hil.ground.frame_history import FrameHistory


def test_a_report_on_the_newest_reaches_back_over_as_many_reports_as_are_asked_for():
    history = FrameHistory(2, 10_000, told_times=3)
    reaches = []
    for frame in range(1, 2_001):
        history.arrived(frame)
        if frame % 100 == 0:
            report = decode(history.report(1, (), 1024))
            reaches.append((report.floor, report.horizon))
    newest = [each for each in reaches if each[1] % 100 == 0]
    assert newest[:3] == [(1, 100), (1, 200), (1, 300)]
    assert len(newest) >= 15
    assert all(top - floor >= 300 for floor, top in newest[3:])
    assert all(top - floor <= 400 for floor, top in newest[3:])


def test_what_no_report_on_the_newest_reaches_is_walked_through():
    history = FrameHistory(2, 10_000, told_times=2)
    for frame in range(1, 5_000, 2):
        history.arrived(frame)
    told = set()
    for _ in range(120):
        report = decode(history.report(1, (), 256))
        told.update(range(report.floor, report.horizon + 1))
    assert told >= set(range(1, 5_000))


def test_without_a_bound_a_report_reaches_as_far_as_there_is_room():
    history = FrameHistory(2, 10_000)
    for frame in range(1, 3_001):
        history.arrived(frame)
        report = decode(history.report(1, (), 1024))
    assert (report.floor, report.horizon) == (1, 3_000)
