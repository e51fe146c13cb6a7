"""JSON is written and read whole: deep, with large numbers, and with halves of characters."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calico_lab.local import json_text

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda children: st.lists(children) | st.dictionaries(st.text(), children), max_leaves=20)


@given(VALUES)
def test_what_is_written_is_what_was_there(value):
    assert json.loads(json_text.encode(value)) == value


def test_a_deep_text_is_read_and_written():
    deep = json.loads("[" * 400 + "]" * 400)
    assert json_text.decode(json_text.encode(deep)) == deep


def test_a_number_of_more_than_64_bits_is_written_whole():
    assert json_text.encode({"number": 2**70}) == b'{"number":1180591620717411303424}'
    assert json_text.decode(b"1180591620717411303424") == 2**70


def test_half_a_character_is_read():
    assert json_text.decode(b'"\\ud800"') == "\ud800"


def test_what_is_no_json_is_said():
    with pytest.raises(ValueError, match="line 1"):
        json_text.decode(b"{")
