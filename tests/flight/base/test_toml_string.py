import tomllib

from hypothesis import example, given
from hypothesis import strategies as st

from flight.base.toml_string import quoted


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
@example('"\\\x00\x07\n\r\t\x7f\x80é😀')
def test_any_text_is_read_back_by_the_standard_s_own_reader(text):
    assert tomllib.loads(f"x = {quoted(text)}") == {"x": text}
