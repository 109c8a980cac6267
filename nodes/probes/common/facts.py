"""What of the probes can be done here: who asks for them elsewhere does not know."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from nodes import descriptors, engines
from nodes.probes.common import namespace


def facts() -> dict[str, Any]:
    """`engines`: each with the reason why it cannot run here, or None; `files`: the most that a process may have open;
    `privilege`: why there can be no black holes, or None."""
    return {
        "system": sys.platform,
        "host": host(),
        "engines": {name: engines.availability(name) for name in engines.NAMES},
        "files": descriptors.highest(),
        "privilege": namespace.availability(),
    }


def host() -> str:
    """What an observation depends on."""
    found = [platform.platform(), f"{platform.python_implementation()} {platform.python_version()}"]
    try:
        found.append(f"uvloop {version('uvloop')}")
    except PackageNotFoundError:
        pass
    return ", ".join(found)
