"""PURE: every small change of a module's text that a test should notice.

The operators are the field's (Offutt et al., "An experimental determination of sufficient mutant operators", 1996;
statement deletion: Deng, Offutt and Li, 2013). Left out is what no test of behaviour can see, or every test does:
annotations, decorators, prose (a text with a space in it, an f-string, `__doc__`, the name of a task: an engine's
errors and threads have it), `assert_never`, a local name's assignment. So is whether a zip is strict, as far as its
author knows that both are of one length: it is an assertion, which holds.
"""

from __future__ import annotations

import ast
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: (r"\*\*", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: (r"\|", "&"),
    ast.BitXor: (r"\^", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
OF_TYPES = {"Literal", "NewType", "TypeVar", "cast", "isinstance", "issubclass"}
"""Their arguments are types, or names of types."""
COMMUTATIVE = {"max", "min", "hmac.compare_digest", "self.one", "place.one"}
"""Among them what draws one of its arguments: each is as likely as another."""
MODULE = "<module>"


@dataclass(frozen=True)
class Mutant:
    """`text` is the whole module's, changed. `was` and `now` are the changed lines, with single spaces."""

    line: int
    lines: frozenset[int]
    """Of the statement that is changed: a test that runs none of them cannot notice."""
    program: frozenset[int]
    """Of the generator around it, none if it is in no such."""
    scope: str
    """The qualified name of the function or class around it, or `<module>`."""
    inside: bool
    """In a function's body: otherwise it runs when the module is imported."""
    was: str
    now: str
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by when lines and modules have moved."""
        return self.scope, self.was, self.now


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def is_pure(source: str) -> bool:
    return (ast.get_docstring(ast.parse(source)) or "").startswith("PURE")


def mutants(source: str) -> list[Mutant]:
    """In the order of the text."""
    return list(_Walk(source).module())


def compiles(mutant: Mutant) -> bool:
    """A few do not: a keyword that became a number, say."""
    try:
        compile(mutant.text, "<mutant>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


class _Walk:
    """Positions are offsets in the encoded text, as `ast` counts them."""

    def __init__(self, source: str) -> None:
        self._source = source.encode()
        self._ends = [found.start() for found in re.finditer(rb"\n|\Z", self._source)]
        self._starts = [0, *(end + 1 for end in self._ends)]
        self._scope: list[str] = []
        self._inside = False
        self._program: frozenset[int] = frozenset()

    def module(self) -> Iterator[Mutant]:
        yield from self._body(ast.parse(self._source).body)

    def _body(self, statements: list[ast.stmt]) -> Iterator[Mutant]:
        for statement in statements:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from self._definition(statement)
            elif not _unseen(statement):
                yield from self._statement(statement)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[Mutant]:
        outer = self._inside, self._program
        self._scope.append(node.name)
        if not isinstance(node, ast.ClassDef):
            for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
                yield from self._made(node, self._expression(default), default)
            self._inside, self._program = True, _program(node)
        yield from self._body(node.body)
        self._inside, self._program = outer
        self._scope.pop()

    def _statement(self, node: ast.stmt) -> Iterator[Mutant]:
        yield from self._made(node, self._removed(node), node)
        if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
            yield from self._made(node, [self._between(node.target, node.value, *ARITHMETIC[type(node.op)])], node)
        if isinstance(node, ast.If | ast.While):
            yield from self._made(node, self._negated(node.test), node.test)
        for field, value in ast.iter_fields(node):
            if isinstance(node, ast.AnnAssign) and field == "annotation":
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.expr):
                    yield from self._made(node, self._expression(child), child)
                elif isinstance(child, ast.ExceptHandler):
                    yield from self._body(child.body)
                elif isinstance(child, ast.match_case):
                    yield from self._case(node, child)
                elif isinstance(child, ast.withitem):
                    yield from self._made(node, self._expression(child.context_expr), child.context_expr)
        for block in ("body", "orelse", "finalbody"):
            yield from self._body(getattr(node, block, []))

    def _case(self, node: ast.stmt, case: ast.match_case) -> Iterator[Mutant]:
        for value in [each.value for each in ast.walk(case.pattern) if isinstance(each, ast.MatchValue)]:
            yield from self._made(node, self._expression(value), value)
        if case.guard is not None:
            yield from self._made(node, [*self._negated(case.guard), *self._expression(case.guard)], case.guard)
        yield from self._body(case.body)

    def _removed(self, node: ast.stmt) -> Iterator[_Edit]:
        """A local name's assignment stays: without it every test that comes here fails."""
        start, end = self._span(node)
        match node:
            case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom() | ast.Await()):
                yield _Edit(start, end, "pass")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign():
                yield _Edit(start, end, "pass")
            case ast.AnnAssign(target=ast.Attribute() | ast.Subscript(), value=ast.expr()):
                yield _Edit(start, end, "pass")
            case ast.Raise() | ast.Delete() | ast.Continue() | ast.Break():
                yield _Edit(start, end, "pass")
            case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
                yield _Edit(start, end, "return None")

    def _expression(self, node: ast.expr) -> Iterator[_Edit]:
        if isinstance(node, ast.JoinedStr) or _of_types(node):
            return
        match node:
            case ast.Compare():
                for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
                    yield self._between(left, right, *COMPARISONS[type(op)])
            case ast.BoolOp(op=op, values=values):
                was, now = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
                for left, right in itertools.pairwise(values):
                    yield self._between(left, right, was, now)
            case ast.BinOp(left=left, op=op, right=right) if not _union(node) and type(op) in ARITHMETIC:
                yield self._between(left, right, *ARITHMETIC[type(op)])
            case ast.UnaryOp(op=ast.Not()):
                yield _Edit(*self._span(node), self._text(node.operand))
            case ast.IfExp(test=test):
                yield from self._negated(test)
            case ast.Constant():
                yield from self._constant(node)
            case ast.Call(func=func, args=args) if self._text(func) not in COMMUTATIVE:
                yield from self._swapped(args)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                for condition in [each for generator in node.generators for each in generator.ifs]:
                    yield from self._negated(condition)
        called = self._text(node.func) if isinstance(node, ast.Call) else ""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and not (called == "Spawn" and isinstance(child, ast.Constant)):
                yield from self._expression(child)
            elif isinstance(child, ast.keyword) and not _asserts(called, child):
                yield from self._expression(child.value)
            elif isinstance(child, ast.comprehension):
                for part in (child.iter, *child.ifs):
                    yield from self._expression(part)

    def _constant(self, node: ast.Constant) -> Iterator[_Edit]:
        value = node.value
        if isinstance(value, bool):
            changed: object = not value
        elif isinstance(value, int | float):
            changed = value + 1
        elif isinstance(value, str) and not re.search(r"\s", value):
            changed = value + "~"
        elif isinstance(value, bytes):
            changed = value + b"~"
        else:
            return
        yield _Edit(*self._span(node), repr(changed))

    def _swapped(self, args: list[ast.expr]) -> Iterator[_Edit]:
        for left, right in itertools.pairwise(args):
            if isinstance(left, ast.Starred) or isinstance(right, ast.Starred) or self._text(left) == self._text(right):
                continue
            (start, left_end), (right_start, end) = self._span(left), self._span(right)
            between = self._source[left_end:right_start].decode()
            yield _Edit(start, end, self._text(right) + between + self._text(left))

    def _negated(self, test: ast.expr) -> Iterator[_Edit]:
        """A comparison and a `not` have their own change that says the same."""
        if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield _Edit(*self._span(test), f"not ({self._text(test)})")

    def _between(self, left: ast.expr, right: ast.expr, was: str, now: str) -> _Edit:
        found = re.compile(was.encode()).search(self._source, self._span(left)[1], self._span(right)[0])
        assert found is not None
        return _Edit(*found.span(), now)

    def _span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _made(self, statement: ast.stmt, edits: Iterator[_Edit] | list[_Edit], part: ast.AST) -> Iterator[Mutant]:
        first, last = part.lineno, part.end_lineno or part.lineno  # type: ignore[attr-defined]
        for edit in edits:
            text = self._source[: edit.start] + edit.text.encode() + self._source[edit.end :]
            begin = self._starts[bisect_right(self._starts, edit.start) - 1]
            end = self._ends[bisect_left(self._ends, edit.end)]
            grown = len(text) - len(self._source)
            yield Mutant(
                line=bisect_right(self._starts, edit.start),
                lines=frozenset({statement.lineno, *range(first, last + 1)}),
                program=self._program,
                scope=".".join(self._scope) or MODULE,
                inside=self._inside,
                was=_one_line(self._source[begin:end]),
                now=_one_line(text[begin : end + grown]),
                text=text.decode(),
            )


def _program(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[int]:
    """The lines of a function's body, if it is a generator."""
    inner = [part for part in ast.walk(node) if isinstance(part, ast.FunctionDef | ast.Lambda) and part is not node]
    theirs = {id(part) for function in inner for part in ast.walk(function)}
    yields = (part for part in ast.walk(node) if isinstance(part, ast.Yield | ast.YieldFrom))
    own = any(id(part) not in theirs for part in yields)
    return frozenset(range(node.body[0].lineno, (node.end_lineno or 0) + 1)) if own else frozenset()


def _one_line(text: bytes) -> str:
    return " ".join(text.decode().split())


def _unseen(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Assign(targets=[ast.Attribute(attr="__doc__")]):
            return True
    return isinstance(node, ast.Import | ast.ImportFrom)


def _of_types(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Subscript(value=ast.Name(id=name)):
            return name in OF_TYPES
    return False


def _asserts(called: str, keyword: ast.keyword) -> bool:
    return (
        called == "zip" and keyword.arg == "strict" and isinstance(keyword.value, ast.Constant) and keyword.value.value
    )


def _union(node: ast.BinOp) -> bool:
    """`int | None` and `Drop | Cut` are types."""
    return isinstance(node.op, ast.BitOr) and (_type(node.left) or _type(node.right))


def _type(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=None):
            return True
        case ast.Name(id=name):
            return name[0].isupper() or name in {"int", "str", "bytes", "float", "bool"}
    return False
