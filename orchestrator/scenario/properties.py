"""PURE: the names of the properties that a scenario may expect: those of the checkers' files.

Their names only: checkers look at scenarios, and no scenario looks at a checker.
"""

from __future__ import annotations

from pathlib import Path

from nodes.registry import modules

PROPERTIES = modules([str(Path(__file__).parents[1] / "checkers" / "properties")])
