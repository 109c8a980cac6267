"""PURE: how often an operation may have run: "1", ">=2" and the like."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_FORM = re.compile(r"\s*(>=|<=|==|=|>|<|)\s*([0-9]{1,9})\s*")
_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "=": operator.eq,
    "": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}


def allows(allowed: str, executions: int) -> bool:
    """Whether so many executions are allowed. Raises ValueError for an expression that is none."""
    form = _FORM.fullmatch(allowed)
    if form is None:
        raise ValueError(f'{allowed!r} is no number of executions; expected one such as "1" or ">=2"')
    return _RELATIONS[form[1]](executions, int(form[2]))
