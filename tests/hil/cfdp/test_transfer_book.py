"""The book of transfers over restarts, torn lines and two processes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.cfdp.sender_values import OutgoingFile
from hil.cfdp.transfer_book import BookError, TransferBook


def a_file(product_id):
    return OutgoingFile(product_id, f"file-{product_id}", 10 * product_id, product_id)


@given(st.lists(st.integers(-1, 20), max_size=40), st.integers(1, 10))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_was_written_is_there_again_however_often_it_is_opened(tmp_path, steps, every):
    path = tmp_path / "book"
    path.unlink(missing_ok=True)
    book, numbers = TransferBook(path), []
    for count, step in enumerate(steps):
        if step < 0 or step not in book.begun:
            numbers.append(book.begin(a_file(count + 1)))
        else:
            book.end(step, good=count % 2 == 0)
        if count % every == 0:
            before = book.begun, book.delivered
            book.close()
            book = TransferBook(path)
            assert (book.begun, book.delivered) == before
    book.close()
    assert numbers == list(range(1, len(numbers) + 1)), "a number is never given twice"


def test_a_number_that_was_written_is_not_given_again_wherever_the_file_was_cut(tmp_path):
    path = tmp_path / "book"
    book = TransferBook(path)
    for number in (1, 2, 3):
        assert book.begin(a_file(number)) == number
    book.end(2, good=True)
    book.close()
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 1, len(whole) + 1):
        path.write_bytes(whole[:cut])
        book = TransferBook(path)
        lines = whole[:cut].count(b"\n") - 1
        assert book.begin(a_file(9)) == min(lines, 3) + 1
        assert book.delivered == ({2} if lines == 4 else set())
        book.close()


def test_two_processes_cannot_use_one_book(tmp_path):
    book = TransferBook(tmp_path / "book")
    with pytest.raises(BookError, match="another process"):
        TransferBook(tmp_path / "book")
    book.close()
    TransferBook(tmp_path / "book").close()


@pytest.mark.parametrize(
    "line", ["{}", "7", "[]", "no", '{"sequence":1,"delivered":true,"product_id":2}']
)
def test_a_file_that_is_no_book_is_refused_in_one_line_and_stays_as_it_was(tmp_path, line):
    path = tmp_path / "book"
    path.write_text(f"{line}\n")
    with pytest.raises(BookError, match="line 1"):
        TransferBook(path)
    assert path.read_text() == f"{line}\n"


def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(BookError, match="No such file"):
        TransferBook(tmp_path / "none" / "book")
