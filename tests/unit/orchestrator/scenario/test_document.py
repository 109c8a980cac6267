from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.scenario import document
from orchestrator.scenario.document import (
    MAX_BYTES,
    MAX_DEPTH,
    BadScenario,
    Mistake,
    Node,
    bad_file,
    join,
    parse,
    scalar,
)


def bad(text: str) -> Mistake:
    with pytest.raises(BadScenario) as caught:
        parse(text, "f.yaml")
    return caught.value.first


def test_values_and_their_lines() -> None:
    root = parse("a: 1\nb:\n  - x\n  - {c: true}\n", "f.yaml")
    assert root.plain() == {"a": 1, "b": ["x", {"c": True}]}
    assert root.mapping is not None
    assert (root.path, root.mapping["a"].path, root.size) == ("", "a", 6)
    assert root.mapping["b"].items is not None
    assert root.mapping["b"].items[1].line == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("007", 7),
        ("1.5", 1.5),
        ("true", True),
        ("~", None),
        ("", None),
        ("200ms", "200ms"),
        (">=2", ">=2"),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_a_quoted_number_is_a_text() -> None:
    assert parse('a: "1"', "f").plain() == {"a": "1"}


def test_anchors_and_aliases() -> None:
    assert parse("a: &x [1, 2]\nb: *x\n", "f").plain() == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("a: 1\nb: 2\na: 3\n", 3, "'a' twice"),
        ("a: [1\nb", 2, "not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: !!python/object:os.system {}\n", 1, "tag"),
        ("a: &x [*x]\n", 1, "alias *x"),
        ("? [1, 2]\n: 3\n", 1, "key"),
        ('a: "\\ud800"\n', 1, "surrogate"),
        ("[" * 5000 + "]" * 5000, 1, "nested"),
        ("a: \x01\n", 0, "not YAML"),
    ],
)
def test_refusals_name_file_and_line(text: str, line: int, message: str) -> None:
    error = bad(text)
    assert message in str(error)
    assert error.line == line
    assert str(error).startswith("f.yaml")


def test_an_alias_bomb_is_refused_not_expanded() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert "aliases counted" in bad("\n".join(levels)).message


@pytest.mark.parametrize("text", ["[" + "a," * 1_000_000, "[&a a" + ",*a" * 1_000_000, "- a\n" * 1_000_000])
def test_values_are_counted_as_they_are_read(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when a list is complete: the rest of four megabytes would be read first."""
    monkeypatch.setattr(document, "MAX_VALUES", 1_000)
    assert bad(text).message == "more than 1000 values"


def test_as_many_values_as_there_may_be_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_VALUES", 5)
    assert parse("[a, b, c, d]", "f").size == parse("[&x [a], *x]", "f").size == 5
    assert bad("[a, b, c, d, e]").message == "more than 5 values"
    assert "more than 5 values, aliases counted" in bad("[&x [a], *x, *x]").message
    assert bad("\n[&x [a], *x, *x]").line == 2


def test_as_deep_as_it_may_be() -> None:
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f").size == MAX_DEPTH
    assert "nested more than" in bad("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)).message


def test_too_large() -> None:
    assert "larger than" in bad("a" * MAX_BYTES + "b").message


def test_paths() -> None:
    assert join(join(join("", "faults"), 0), "link") == "faults[0].link"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:,-&*[]{}!?|>'\"#%@`\\ \n\t10~<\u2028\x00\ud800"), max_size=60))
def test_any_text_is_a_document_or_refused(text: str) -> None:
    with suppress(BadScenario):
        assert isinstance(parse(text, "f"), Node)


@pytest.mark.parametrize("text", ["", "a: 1\na: 2\n", "a: [1\nb", "a: &x [*x]\n"])
def test_what_cannot_be_read_has_a_line_and_no_place(text: str) -> None:
    error = bad(text)
    assert error.path == ""
    assert str(error) == f"f.yaml:{error.line}: {error.message}"


def test_what_is_wrong_with_all_of_a_file_is_on_no_line() -> None:
    assert str(bad_file("f.yaml", "not there")) == "f.yaml: not there"
    assert str(bad_file("f.yaml", "not there", "a.b")) == "f.yaml: a.b: not there"


@pytest.mark.parametrize("text", ["\\ud7ff", "\\ue000", "\\uffff"])
def test_what_stands_beside_the_surrogates_is_text(text: str) -> None:
    assert parse(f'a: "{text}"', "f").plain() == {"a": text.encode().decode("unicode_escape")}


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff", "x\\udc00x"])
def test_half_a_pair_is_none(text: str) -> None:
    assert "surrogate" in bad(f'a: "{text}"').message
