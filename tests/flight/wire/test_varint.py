"""Varints: one form for each number, and nothing but WireError for the rest."""

from __future__ import annotations

import pytest

from flight.wire import varint
from flight.wire.errors import WireError


def test_varints_have_one_form_each():
    for value in (0, 1, 127, 128, 300, varint.U64_MAX):
        out = bytearray()
        varint.put(out, value)
        assert varint.take(bytes(out), 0) == (value, len(out))
    for bad in (b"", b"\x80", b"\x80\x00", b"\xff" * 9 + b"\x02", b"\xff" * 11):
        with pytest.raises(WireError):
            varint.take(bad, 0)
    assert [varint.zigzag(v) for v in (0, -1, 1, -2)] == [0, 1, 2, 3]
    assert all(varint.unzigzag(varint.zigzag(v)) == v for v in range(-300, 300))
