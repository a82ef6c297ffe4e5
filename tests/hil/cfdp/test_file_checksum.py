"""Checksums of files against cfdp-py's."""

import pytest
from cfdppy.filestore import NativeFilestore
from hypothesis import given, settings
from hypothesis import strategies as st
from spacepackets.cfdp import ChecksumType as TheirChecksum

from hil.cfdp.file_checksum import FileChecksum
from hil.cfdp.pdu_values import ChecksumType


@pytest.mark.parametrize("kind", ChecksumType)
@given(content=st.binary(max_size=5_000), piece=st.integers(1, 400))
@settings(max_examples=60)
def test_every_checksum_is_that_of_cfdp_py_however_it_is_cut(
    kind, content, piece, tmp_path_factory
):
    path = tmp_path_factory.getbasetemp() / "checksum.bin"
    path.write_bytes(content)
    checksum = FileChecksum(kind)
    for at in range(0, len(content), 4 * piece):
        checksum.add(content[at : at + 4 * piece])
    if not content and kind is not ChecksumType.MODULAR:
        assert checksum.value == 0
        return
    theirs = NativeFilestore().calculate_checksum(TheirChecksum(kind), path, len(content))
    assert checksum.value == int.from_bytes(theirs, "big")


def test_the_modular_checksum_of_the_standards_own_example():
    checksum = FileChecksum(ChecksumType.MODULAR)
    checksum.add(bytes(range(15)))
    assert checksum.value == 0x181C2015
