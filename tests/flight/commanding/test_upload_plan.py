"""The plan of an upload, carried out on a buffer in any order within its phases, is the load."""

import random

from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from test_load_buffer import VERSION, Words

from flight.commanding.load_buffer import LoadBuffer
from flight.commanding.loadable import LoadVerdict
from flight.commanding.upload_plan import PARTS_AT_ONCE, upload_plan
from flight.telemetry.command_table import LOAD_PART_BYTES_MAX, LoadBegin, LoadPart, LoadValidate
from flight.wire.telecommand import Telecommand, decode_telecommand, encode_telecommand


def carry_out(buffer, command):
    if isinstance(command, LoadBegin):
        return buffer.begin(command.kind, command.size_bytes, command.crc32c, command.version)
    if isinstance(command, LoadPart):
        return buffer.part(command.offset, command.data)
    return buffer.validate() if isinstance(command, LoadValidate) else buffer.activate(0)


@settings(deadline=None, max_examples=examples(40))
@given(st.integers(1, 40 * LOAD_PART_BYTES_MAX), st.integers(0, 99))
def test_what_is_planned_arrives_whole_over_the_wire_and_is_in_force(size, seed):
    data, words = random.Random(seed).randbytes(size), Words(bytes_max=200_000)
    buffer = LoadBuffer([words])
    for phase in upload_plan("words", VERSION, data):
        assert len(phase) <= PARTS_AT_ONCE
        for command in random.Random(seed).sample(phase, len(phase)):
            sent = encode_telecommand(Telecommand(2**62, command))
            assert carry_out(buffer, decode_telecommand(sent).command) is LoadVerdict.OK
    assert words.now == data
