"""What orchestrator and agent say to one another: reports come back as they were, tokens veiled, names confined."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.backends.attach.protocol import (
    BadRequest,
    arguments,
    file_name,
    number,
    parse_report,
    process_name,
    report_fields,
    veil,
)
from orchestrator.backends.host import Ended, Failed, Line, Report, Spawned, Stopped

SECRET = b"s" * 32
REPORTS = st.one_of(
    st.builds(Spawned, st.integers(1, 2**22)),
    st.builds(Line, st.text(max_size=20)),
    st.just(Stopped()),
    st.builds(Ended, st.integers(0, 64), st.integers(0, 255)),
    st.builds(Failed, st.text(max_size=20)),
)


@settings(deadline=None, max_examples=100)
@given(REPORTS, st.text(max_size=20))
def test_a_report_comes_back_as_it_was(report: Report, log: str) -> None:
    found, tail = parse_report(report_fields(report, log))
    assert found == report
    assert type(found) is type(report)
    assert tail == (log if isinstance(report, Ended | Failed) else "")


@pytest.mark.parametrize("fields", [{}, {"ended": [9]}, {"ended": "9"}, {"line": 1}, {"stopped": False}])
def test_fields_that_are_no_report_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match="is no report"):
        parse_report(fields)


@settings(deadline=None, max_examples=100)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 9), st.integers(1, 9))
def test_a_veiled_token_is_only_read_by_who_knows_the_secret(token: bytes, cell: int, epoch: int) -> None:
    veiled = veil(token, SECRET, "session", cell, "server", epoch)
    assert veiled != token
    assert veil(veiled, SECRET, "session", cell, "server", epoch) == token
    assert veil(veiled, b"t" * 32, "session", cell, "server", epoch) != token


def test_an_agent_of_another_release_reads_the_same_token() -> None:
    assert veil(bytes(32), b"s" * 32, "session", 1, "server", 2).hex() == (
        "33e850fcdefcc623494d47e74f6c9c27fa27f167a8189032119f657ab385df96"
    )


def test_no_key_veils_two_tokens() -> None:
    lives = [("a", 1, "x", 1), ("a", 1, "x", 2), ("a", 2, "x", 1), ("a", 1, "y", 1), ("b", 1, "x", 1)]
    assert len({veil(bytes(32), SECRET, *life) for life in lives}) == len(lives)


def test_a_token_of_another_length_is_refused() -> None:
    with pytest.raises(BadRequest, match="32 bytes, not 5"):
        veil(b"short", SECRET, "a", 1, "x", 1)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "A", "a.b", "-a", "a\n", "a" * 65, None, 3, b"a"])
def test_what_is_no_name_of_a_process(name: object) -> None:
    with pytest.raises(BadRequest):
        process_name(name)


@pytest.mark.parametrize(
    "name", ["", "a", "../a.log", "a/../b.log", "/etc/passwd", "a..log", "a.1.journal/..", "a.log\n", ".a.log", None]
)
def test_what_is_no_file_of_a_process(name: object) -> None:
    with pytest.raises(BadRequest):
        file_name(name)


@pytest.mark.parametrize(
    "name", ["server.1.journal", "server-2.ledger", "a.ledger-wal", "a.1.archived.ledger", "a.2.log"]
)
def test_files_of_a_process(name: str) -> None:
    assert file_name(name) == name


def test_a_name_and_numbers_of_a_process() -> None:
    assert process_name("server-2") == "server-2"
    assert [number(value) for value in (0, 7)] == [0, 7]


@pytest.mark.parametrize("value", [-1, True, 1.0, "1", None])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(BadRequest):
        number(value)


@pytest.mark.parametrize("given", [[], ["poll"], ["--engine", "epoll_edge", "--probes", "undrained,data-then-end"]])
def test_what_a_part_is_told(given: list[str]) -> None:
    assert arguments(given) == given


@pytest.mark.parametrize(
    "given", ["poll", None, [1], ["a b"], ["../x"], ["$(x)"], [""], ["-x"], ["a"] * 17, ["a" * 4002]]
)
def test_what_no_part_is_told(given: object) -> None:
    with pytest.raises(BadRequest):
        arguments(given)
