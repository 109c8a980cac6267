"""A history's bytes come back as they were, or not at all."""

from __future__ import annotations

import json

import msgpack
import pytest
from history_builder import CLIENT, Run
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire.record import Kind
from orchestrator.history.file import dump, load, to_jsonl, written
from orchestrator.history.merged import Event, History, HistoryError

NUMBERS = st.integers(0, 2**64 - 1)
DETAILS = st.dictionaries(
    st.text(max_size=6), st.none() | st.booleans() | NUMBERS | st.text(max_size=6) | st.binary(max_size=6), max_size=3
)
NAMES = st.sampled_from(["", "a", "server", "tür"])
ROWS = st.tuples(
    NUMBERS, NAMES, NAMES, st.integers(0, 9), st.sampled_from(Kind), NUMBERS, NUMBERS, NUMBERS, NUMBERS, DETAILS
)
HISTORIES = st.builds(
    lambda evidence, plan, rows: History(
        evidence, tuple(Event(order, *row) for order, row in enumerate(rows)), plan=plan
    ),
    st.sampled_from(["real", "sim"]),
    st.sampled_from(["", "5e1f"]),
    st.lists(ROWS, max_size=6),
)


@settings(deadline=None, max_examples=100)
@given(HISTORIES)
def test_what_is_dumped_is_loaded(history: History) -> None:
    assert load(dump(history)) == history
    assert dump(load(dump(history))) == dump(history)


def test_cut_off_anywhere_it_is_refused() -> None:
    data = dump(Run().call(1).history())
    for size in range(len(data)):
        with pytest.raises(HistoryError, match=r"^run/history\.msgpack: byte \d+: "):
            load(data[:size], "run/history.msgpack")


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    whole = dump(Run().call(1).history())
    place = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    with pytest.raises(HistoryError):
        load(whole[:place] + bytes([value]) + whole[place + 1 :])


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=80))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(HistoryError):
        load(data)


def test_refusals_say_what_is_wrong() -> None:
    with pytest.raises(HistoryError, match="byte 0: not a history of faultbed"):
        load(b"PK\x03\x04 something else")
    newer = msgpack.packb({"format": "faultbed history", "schema": 3})
    with pytest.raises(HistoryError, match="has schema 3, this version reads 1 and 2; use the one that wrote it"):
        load(newer)
    with pytest.raises(HistoryError, match="2 bytes follow the footer"):
        load(dump(Run().history()) + b"\xc0\xc0")


@pytest.mark.parametrize("footer", [{"end": 1, "crc": 1}, {"crc": 1}, [1, 2]])
@pytest.mark.parametrize("whole", [0, 10_000])
def test_what_follows_the_events_is_a_footer_that_counts_them(footer: object, whole: int) -> None:
    *parts, _ = written(Run().call(1).history())
    with pytest.raises(HistoryError, match=r"byte \d+: \d+ events are followed by something that is not the footer"):
        load(b"".join(parts) + msgpack.packb(footer), whole=whole)


def test_lines_have_the_keys_of_a_jepsen_like_history() -> None:
    lines = [json.loads(line) for line in to_jsonl(Run().call(1).history())]
    invoke = next(line for line in lines if line["type"] == "invoke")
    assert invoke["operation"] == [CLIENT, 1]
    assert (invoke["f"], invoke["value"], invoke["node"], invoke["process"]) == ("add", 1, "client", 1)
    assert [line["index"] for line in lines] == list(range(len(lines)))
    effect = next(line for line in lines if line["type"] == "effect")
    assert (effect["value"], effect["ledger"], effect["intent"]) == (1, "server.71", invoke["intent"])


def test_bytes_are_exported_as_hexadecimal() -> None:
    history = Run().note("client", 1, Kind.OK, CLIENT, 1, value=b"\x01\xff").history()
    assert '"value": "01ff"' in "\n".join(to_jsonl(history))


def test_each_line_says_which_life_it_is_of() -> None:
    history = Run().call(1).start("server", 2, "server").history()
    lines = [json.loads(line) for line in to_jsonl(history)]
    assert {1, 2} <= {line["epoch"] for line in lines}
    assert [(line["node"], line["epoch"], line["index"]) for line in lines] == [
        (event.node, event.epoch, event.order) for event in history.events
    ]
