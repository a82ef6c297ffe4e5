"""Errors of the store name their kind."""

from __future__ import annotations

from flight.downlink.store_values import StoreError, StoreErrorKind


def test_a_store_error_says_its_kind():
    error = StoreError(StoreErrorKind.FULL, "8 B in 4 B")
    assert (error.kind, str(error)) == (StoreErrorKind.FULL, "full: 8 B in 4 B")
    assert str(StoreError(StoreErrorKind.CLOSED)) == "closed"
