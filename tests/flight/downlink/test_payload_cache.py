"""The cache is bounded and forgets the oldest first."""

from __future__ import annotations

from flight.downlink.stored_payloads import PayloadCache


def test_the_cache_keeps_the_newest_that_fit():
    cache = PayloadCache(10)
    cache.put(1, b"12345", b"m1")
    cache.put(2, b"12345", b"m2")
    cache.put(3, b"1", b"m3")
    assert [cache.get(i) for i in (1, 2, 3)] == [None, b"12345", b"1"]
    assert [cache.manifest(i) for i in (1, 2, 3)] == [None, b"m2", b"m3"]
    cache.put(4, b"x" * 20, b"m4")
    assert cache.held_bytes == 20, "one that is larger than all is kept alone"
    cache.drop(4)
    cache.drop(4)
    assert cache.held_bytes == 0
    assert cache.manifest(4) is None
