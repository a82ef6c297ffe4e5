"""The record's file: whatever a write leaves, the run before is found."""

from dataclasses import replace

import pytest

from flight.board_boot import BOOT_RECORD, SLOT_STRIDE, BootSlots, kernel_power_up
from flight.boot_record import encode, following, slot_of

FIRST = following(None, power_up=b"power-up", watched=False)


def numbered(count):
    return [replace(FIRST, sequence=n, boots=n) for n in range(1, count + 1)]


def found(folder):
    slots = BootSlots(folder)
    slots.close()
    return slots.found


def test_a_fresh_folder_has_no_record_and_no_damage(tmp_path):
    assert (found(tmp_path).record, found(tmp_path).damaged) == (None, 0)


def test_the_newest_write_is_found_again(tmp_path):
    slots = BootSlots(tmp_path)
    for record in numbered(5):
        slots.write(record)
    slots.close()
    assert found(tmp_path).record.boots == 5


@pytest.mark.parametrize("damage", [b"", b"\xff" * 64, bytes(64)])
def test_a_slot_that_was_destroyed_leaves_the_one_before(tmp_path, damage):
    slots = BootSlots(tmp_path)
    for record in numbered(4):
        slots.write(record)
    slots.close()
    path = tmp_path / BOOT_RECORD
    start = slot_of(record) * SLOT_STRIDE
    content = bytearray(path.read_bytes())
    content[start : start + 64] = damage.ljust(64, b"\0")
    path.write_bytes(content)
    assert found(tmp_path).record.boots == 3


def test_of_beats_that_wait_the_newest_is_written(tmp_path, monkeypatch):
    slots = BootSlots(tmp_path)
    written = []
    monkeypatch.setattr(slots, "write", written.append)
    with slots._wanted:  # the thread cannot look until all of them have been offered
        for record in numbered(50):
            slots.offer(record)
    slots.finish(replace(FIRST, sequence=99))
    slots.close()
    assert [each.boots for each in written if each.sequence != 99] in ([], [50])
    assert written[-1].sequence == 99, "and nothing comes after the last word"


def test_a_medium_that_fails_is_counted_and_ends_nothing(tmp_path, monkeypatch):
    slots = BootSlots(tmp_path)

    def full(_fd):
        raise OSError(28, "no space")

    monkeypatch.setattr("os.fdatasync", full)
    slots.offer(FIRST)
    while not slots.failed:
        pass
    assert slots.written == 0
    with pytest.raises(OSError, match="no space"):
        slots.finish(FIRST)
    slots.close()
    slots.close()


def test_beats_reach_the_file(tmp_path):
    slots = BootSlots(tmp_path)
    slots.offer(replace(FIRST, sequence=2, boots=7))
    while not slots.written:
        pass
    slots.close()
    content = (tmp_path / BOOT_RECORD).read_bytes()
    assert content[:64] == encode(replace(FIRST, sequence=2, boots=7))


def test_the_kernel_numbers_its_power_ups(tmp_path):
    assert kernel_power_up() == kernel_power_up() != bytes(8)
    given = tmp_path / "boot_id"
    given.write_text("0123abcd-89ef-4567-8901-234567890123\n")
    assert kernel_power_up(given) == bytes.fromhex("0123abcd89ef4567")
    assert kernel_power_up(tmp_path / "none") == bytes(8)
    given.write_text("nothing of the kind")
    assert kernel_power_up(given) == bytes(8)
