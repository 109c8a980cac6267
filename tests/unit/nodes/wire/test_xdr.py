"""XDR against by-hand vectors, and every type's round trip and strictness."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire import xdr
from nodes.wire.errors import WireError

GOLDEN = [
    (xdr.HYPER, -2, "fffffffffffffffe"),
    (xdr.HYPER, -(2**63), "8000000000000000"),
    (xdr.HYPER, 0x0102030405060708, "0102030405060708"),
    (xdr.VOID, None, ""),
    (xdr.Opaque(), b"", "00000000"),
    (xdr.Opaque(), b"abcd", "0000000461626364"),
    (xdr.Opaque(), b"abcde", "000000056162636465000000"),
    (xdr.Struct((("a", xdr.HYPER), ("b", xdr.HYPER))), (1, -1), "0000000000000001ffffffffffffffff"),
    (xdr.Struct((("a", xdr.Opaque()), ("b", xdr.HYPER))), (b"ab", 1), "00000002616200000000000000000001"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), GOLDEN)
def test_golden_vectors(kind: xdr.XdrType, value: Any, expected: str) -> None:
    assert kind.pack(value).hex() == expected
    assert xdr.decode(kind, bytes.fromhex(expected)) == value


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (xdr.HYPER, "00000001", "the data ends"),
        (xdr.HYPER, "000000000000000100", "1 bytes follow"),
        (xdr.Opaque(), "000001", "the data ends"),
        (xdr.Opaque(), "0000000161", "the data ends"),
        (xdr.Opaque(), "0000000161ff0000", "padding"),
        (xdr.Opaque(3), "0000000461626364", "over the limit of 3"),
        (xdr.Opaque(), "ffffffff", "over the limit"),
        (xdr.Struct((("a", xdr.HYPER), ("b", xdr.HYPER))), "0000000000000001", "the data ends"),
    ],
)
def test_decoding_is_strict(kind: xdr.XdrType, data: str, message: str) -> None:
    with pytest.raises(WireError, match=message):
        xdr.decode(kind, bytes.fromhex(data))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (xdr.HYPER, 2**63),
        (xdr.HYPER, True),
        (xdr.HYPER, "1"),
        (xdr.VOID, 0),
        (xdr.Opaque(1), b"ab"),
        (xdr.Opaque(), "text"),
        (xdr.Struct((("a", xdr.HYPER),)), ()),
        (xdr.Struct((("a", xdr.HYPER),)), (2**64,)),
        (xdr.Struct((("a", xdr.HYPER),)), (True,)),
        (xdr.Struct((("a", xdr.HYPER),)), 1),
    ],
)
def test_what_has_no_form_cannot_be_packed(kind: xdr.XdrType, value: Any) -> None:
    with pytest.raises(WireError):
        kind.pack(value)


LEAVES: list[tuple[xdr.XdrType, st.SearchStrategy[Any]]] = [
    (xdr.HYPER, st.integers(-(2**63), 2**63 - 1)),
    (xdr.VOID, st.none()),
    (xdr.Opaque(), st.binary(max_size=20)),
]
Typed = tuple[xdr.XdrType, Any]


def _nested(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.lists(inner, max_size=3).map(
        lambda many: (
            xdr.Struct(tuple((f"f{n}", kind) for n, (kind, _) in enumerate(many))),
            tuple(value for _, value in many),
        )
    )


typed_values = st.recursive(
    st.one_of([values.map(lambda value, kind=kind: (kind, value)) for kind, values in LEAVES]), _nested, max_leaves=6
)


@given(typed_values, st.data())
@settings(max_examples=150, deadline=None)
def test_every_type_returns_what_it_packed_and_refuses_what_was_cut_off(typed: Typed, data: st.DataObject) -> None:
    kind, value = typed
    packed = kind.pack(value)
    assert len(packed) % 4 == 0
    assert xdr.decode(kind, packed) == value
    if packed:
        size = data.draw(st.integers(0, len(packed) - 1))
        with pytest.raises(WireError):
            xdr.decode(kind, packed[:size])


@given(st.sampled_from([*(kind for kind, _ in LEAVES), *(kind for kind, _, _ in GOLDEN)]), st.binary(max_size=64))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_decode_to_what_packs_alike_or_are_refused(kind: xdr.XdrType, data: bytes) -> None:
    try:
        value = xdr.decode(kind, data)
    except WireError:
        return
    assert kind.pack(value) == data


def test_a_number_is_told_by_the_name_that_xdr_gives_it() -> None:
    with pytest.raises(WireError, match=r"^True is a bool, expected hyper$"):
        xdr.HYPER.pack(True)
    with pytest.raises(WireError, match=r"^hyper at byte 0: the data ends at byte 0$"):
        xdr.HYPER.unpack(b"", 0)
    with pytest.raises(WireError, match=r"^unsigned int at byte 0: the data ends at byte 0$"):
        xdr.Opaque().unpack(b"", 0)
