"""PURE: values of a compose file that is laid over another, with the tags that say what becomes of the other's.

`!override` and `!reset` need Compose 2.24.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml


class Override(NamedTuple):
    """A value that replaces the user's instead of being merged with it."""

    value: Any


class Reset(NamedTuple):
    """The user's value is taken away."""


class _Dumper(yaml.SafeDumper):
    """YAML with Compose's tags."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_override(self, data: Override) -> yaml.Node:
        node = self.represent_data(data.value)
        node.tag = "!override"
        return node

    def represent_reset(self, data: Reset) -> yaml.Node:
        return self.represent_scalar("!reset", "null")


_Dumper.add_representer(Override, _Dumper.represent_override)
_Dumper.add_representer(Reset, _Dumper.represent_reset)


def text(value: Mapping[str, Any]) -> str:
    """The value as a compose file."""
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False)
