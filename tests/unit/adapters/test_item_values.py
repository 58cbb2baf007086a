"""Values of rows are written and read as boto3 writes and reads them."""

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters.item_values import from_item_value, to_item_value

VALUES = st.recursive(
    st.text() | st.integers(-(10**37), 10**37) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_value_is_written_and_read_as_boto3_does(value) -> None:
    written = to_item_value(value)
    assert written == TypeSerializer().serialize(value)
    assert from_item_value(written) == TypeDeserializer().deserialize(written) == value


@pytest.mark.parametrize("value", [1.5, {1, 2}, b"bytes", object()])
def test_value_that_no_row_has_is_refused(value) -> None:
    with pytest.raises(TypeError, match="A row has no"):
        to_item_value(value)


@pytest.mark.parametrize("value", [{"SS": ["a"]}, {"B": "YQ=="}])
def test_type_that_no_row_has_is_refused(value) -> None:
    with pytest.raises(TypeError, match="A row has no value of type"):
        from_item_value(value)
