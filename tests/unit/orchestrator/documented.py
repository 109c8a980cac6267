"""What docs/semantics.md says that a claim needs, read off its table."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

DOCUMENT = Path(__file__).parents[3] / "docs" / "semantics.md"


@cache
def needed() -> Mapping[tuple[str, str], frozenset[str]]:
    """(property, failure model) -> the opportunities that claiming it needs."""
    table = DOCUMENT.read_text("utf-8").partition("| opportunity | what must have been seen |")[2].partition("\n\n")[0]
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in table.splitlines()[2:]:
        name, _, claims = (part.strip() for part in line.strip("|").split("|"))
        for claim in claims.split(";"):
            parts, _, models = claim.strip().partition(" under ")
            for part in re.findall("complete|once", parts):
                for model in filter(None, models.split(", ")):
                    found[part, model.replace(" ", "-")].add(name)
    return {key: frozenset(names) for key, names in found.items()}
