"""What this host offers to orchestrators."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import version
from typing import Any

from nodes.clock import clock_domain
from nodes.engines import NAMES, availability

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows", "cygwin": "windows"}


def system() -> str:
    """linux, macos, windows, freebsd, ..."""
    return _SYSTEMS.get(sys.platform, sys.platform.rstrip("0123456789"))


def offer() -> dict[str, Any]:
    """-> {version, os, engines, planes, domain}; an engine or plane has None, or the reason why it cannot be here."""
    return {
        "version": version("faultbed"),
        "os": system(),
        "engines": {name: availability(name) for name in NAMES},
        "planes": {"relay": None, "toxiproxy": _toxiproxy(), "packet": _packet()},
        "domain": clock_domain(),
    }


def _toxiproxy() -> str | None:
    return None if shutil.which("toxiproxy-server") else "toxiproxy-server is not on its PATH"


def _packet() -> str | None:
    if system() != "linux":
        return f"nftables is Linux's, this is {system()}"
    if os.geteuid() != 0:
        return "it does not run as root"
    return None if shutil.which("nft") else "nft is not on its PATH"
