"""What a request weighs, and whether it is a commit."""

from flight.downlink.store_request import PutRecord, WriteRequest


def test_every_single_change_counts_once():
    put = PutRecord(1, b"", b"")
    request = WriteRequest(
        puts=[put], rewrites=[put], acked={1: b""}, states={1: (1, None)}, freed={1: 8},
        counters={"iv": 1}, blobs={"b": b""},
    )  # fmt: skip
    assert request.records == 7
    assert request.changes


def test_looking_after_segments_is_no_commit_and_a_delivery_said_twice_is_one():
    assert not WriteRequest(tend=True, urgent=True).changes
    said_twice = WriteRequest(delivered={7: None})
    assert said_twice.changes
    assert said_twice.records == 0, "it changes nothing on the medium"
