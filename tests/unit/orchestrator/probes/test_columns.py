"""Engines side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.probes.columns import blocks, lines, markdown, wrapped

ENGINES = ("select", "poll", "epoll", "epoll_edge", "sigio")
SEEN = st.dictionaries(
    st.sampled_from(ENGINES),
    st.dictionaries(st.sampled_from(["came", "half read", "asked anew"]), st.sampled_from(["IN", "nothing", "HUP"])),
)


def test_who_showed_the_same_stands_in_one_column_and_a_difference_is_marked() -> None:
    same, other = {"came": "IN", "half read": "IN"}, {"came": "IN", "half read": "nothing"}
    (block,) = blocks({"poll": same, "epoll": same, "epoll_edge": other})
    assert [column.engines for column in block.columns] == [("poll", "epoll"), ("epoll_edge",)]
    assert lines(block, 120) == [
        "               poll epoll  epoll_edge",
        "    came       IN          IN",
        "  * half read  IN          nothing",
    ]
    assert markdown(block) == [
        "| step | `poll` `epoll` | `epoll_edge` |",
        "| --- | --- | --- |",
        "| came | IN | IN |",
        "| half read | **IN** | **nothing** |",
    ]


def test_engines_that_do_not_fit_beside_one_another_stand_below_one_another() -> None:
    same, other = {"what it tells": "IN"}, {"what it tells": "nothing at all, and that is long"}
    (block,) = blocks({**dict.fromkeys(("select", "pselect", "poll", "ppoll"), same), "sigio": other})
    assert lines(block, 56) == [
        "                   select pselect  sigio",
        "                   poll ppoll",
        "  * what it tells  IN              nothing at all, and that is long",
    ]
    assert lines(block, 80)[0] == "                   select pselect poll ppoll  sigio"


def test_other_steps_are_another_block() -> None:
    first, second = blocks({"poll": {"came": "IN"}, "io_uring": {"asked": "done"}})
    assert (first.steps, second.steps) == (("came",), ("asked",))


@given(SEEN)
def test_every_engine_is_told_once_with_what_it_showed(seen: dict[str, dict[str, str]]) -> None:
    found = {
        engine: dict(column.steps) for block in blocks(seen) for column in block.columns for engine in column.engines
    }
    assert found == seen
    assert sum(len(column.engines) for block in blocks(seen) for column in block.columns) == len(seen)


@given(SEEN)
def test_a_step_is_marked_if_and_only_if_columns_differ(seen: dict[str, dict[str, str]]) -> None:
    for block in blocks(seen):
        assert len({tuple(column.steps.items()) for column in block.columns}) == len(block.columns)
        for step in block.steps:
            assert block.differs(step) == (len({column.steps[step] for column in block.columns}) > 1)


@given(st.lists(st.text("abc", min_size=1, max_size=5)), st.integers(5, 30))
def test_words_are_wrapped_and_none_is_lost(words: list[str], width: int) -> None:
    assert wrapped(["abc", "de", "f"], 6) == ["abc de", "f"]
    found = wrapped(words, width)
    assert " ".join(found).split() == words
    assert all(len(line) <= width for line in found)
