from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.scenario.document import BadScenario, Mistakes, Node, parse
from orchestrator.scenario.matrix import Every, Selector, combinations, label, selection_axes, values_of


def cells(text: str) -> list[str]:
    return [label(axes) for axes in combinations(parse(text, "f"))]


def resolve(text: str, matrix: str, cell: int = 0) -> object:
    every = combinations(parse(matrix, "f"))
    mistakes = Mistakes()
    resolved = Selector(every[cell], Every(every), mistakes).resolve(parse(text, "f"), "")
    mistakes.check()
    return resolved.plain()


def refused(text: str, matrix: str = "{a: [x, y], n: [1, 2]}") -> str:
    with pytest.raises(BadScenario) as caught:
        resolve(text, matrix)
    return str(caught.value)


def test_the_product_in_the_order_of_the_file() -> None:
    assert cells("{a: [x, y], n: [1, 2]}") == ["a=x,n=1", "a=x,n=2", "a=y,n=1", "a=y,n=2"]


def test_no_matrix_is_one_cell() -> None:
    assert [label(axes) for axes in combinations(None, "f")] == ["-"]


def test_exclude_then_include() -> None:
    text = "{a: [x, y], n: [1, 2], exclude: [{a: y}], include: [{a: z, n: 1}, {a: y, n: 2}]}"
    assert cells(text) == ["a=x,n=1", "a=x,n=2", "a=z,n=1", "a=y,n=2"]


def test_include_combines_with_the_axes_it_does_not_name() -> None:
    assert cells("{a: [x], n: [1, 2], include: [{a: z}]}")[2:] == ["a=z,n=1", "a=z,n=2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no axis"),
        ("[]", "mapping of axes"),
        ("{a: []}", "at least one value"),
        ("{a: x}", "at least one value"),
        ("{a: [x, x]}", "twice"),
        ("{a: [[x]]}", "plain values"),
        ("{A: [x]}", "axis name"),
        ("{a: [x], exclude: [{b: x}]}", "no such axis"),
        ("{a: [x], exclude: [{a: z}]}", "no value 'z'"),
        ("{a: [x], exclude: [{a: x}]}", "nothing is left"),
        ("{a: [x], exclude: [{a: null}]}", "expected a plain value"),
        ("{a: [x], exclude: [{a: [x, {}]}]}", "expected a plain value"),
        ("{a: [x], include: [{a: [x]}]}", "expected a plain value"),
        ("{a: [x], include: [x]}", "expected a mapping of axes to values"),
        ("{a: [x], include: {a: z}}", "list of mappings"),
        (f"{{a: {list(range(200))}, b: {list(range(200))}}}", "at most"),
    ],
)
def test_bad_matrices(text: str, message: str) -> None:
    with pytest.raises(BadScenario, match=message):
        combinations(parse(text, "f"))


def test_cells_whose_values_hold_commas_are_all_there_and_have_names_of_their_own() -> None:
    found = cells('{a: ["1", "1,b=1"], b: ["1", "1,b=1"]}')
    assert found == ["a=1,b=1", 'a=1,b="1,b=1"', 'a="1,b=1",b=1', 'a="1,b=1",b="1,b=1"']


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_a_name_says_its_values(values: list[str]) -> None:
    axes = {f"a{number}": Node(value, 1) for number, value in enumerate(values)}
    assert values_of(label(axes)) == dict(zip(axes, values, strict=True))


@pytest.mark.parametrize("text", ["", "a", "a=1,", "a=1,b", '="x"', 'a="x', 'a="x"y'])
def test_what_names_no_values(text: str) -> None:
    with pytest.raises(ValueError, match="AXIS=VALUE"):
        values_of(text)


def test_substitution() -> None:
    assert resolve('{k: "${a}-${n}", whole: "${n}"}', "{a: [x], n: [1]}") == {"k": "x-1", "whole": 1}


def test_selection_by_one_axis_and_else() -> None:
    text = "{k: {by: a, x: 1, else: 2}}"
    assert resolve(text, "{a: [x, y]}", 0) == {"k": 1}
    assert resolve(text, "{a: [x, y]}", 1) == {"k": 2}


def test_selection_by_two_axes() -> None:
    assert resolve("{k: {by: [a, n], x 2: here, else: there}}", "{a: [x], n: [1, 2]}", 1) == {"k": "here"}


def test_selections_nest() -> None:
    assert resolve("{by: a, x: {by: n, 1: deep, else: no}, else: no}", "{a: [x], n: [1]}") == "deep"


def test_what_selects_to_null_disappears() -> None:
    text = "{list: [{by: a, x: null, else: 1}, 2], gone: {by: a, x: null, else: 1}, kept: null}"
    assert resolve(text, "{a: [x, y]}") == {"list": [2], "kept": None}


def test_a_duration_called_by_is_no_selection() -> None:
    assert resolve("{delay: request, by: 20ms}", "{a: [x]}") == {"delay": "request", "by": "20ms"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{k: {by: b, x: 1}}", "'b' is no axis"),
        ("{k: {by: a, y: 1}}", "nothing is said for 'x'"),
        ("{k: {by: a, x: 1, yy: 2}}", "did you mean y"),
        ('{k: "${b}"}', "'b' is no axis"),
        ('{k: "pre ${b}"}', "'b' is no axis"),
    ],
)
def test_bad_selections_name_the_place(text: str, message: str) -> None:
    found = refused(text)
    assert message in found
    assert found.startswith("f:1: k")


@pytest.mark.parametrize(
    ("text", "axes"),
    [
        ("{by: a, x: 1}", ["a"]),
        ("{by: [a, b-2], else: 1}", ["a", "b-2"]),
        ("{delay: request, by: 20ms}", None),
        ("{by: [a, 20ms]}", None),
        ("{by: [a, 1]}", None),
        ("{by: []}", None),
        ("{else: 1}", None),
        ("a", None),
    ],
)
def test_what_selects_by_axes(text: str, axes: list[str] | None) -> None:
    assert selection_axes(parse(text, "f")) == axes
