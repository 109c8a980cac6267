"""What this machine can do, and why not where it cannot."""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Iterator

from chaos.planes.packet import availability as packets
from chaos.planes.toxiproxy import child as toxiproxy
from orchestrator.backends import backends
from orchestrator.backends.backend import Finding, unless


def findings() -> Iterator[Finding]:
    """Of this machine, of each backend, and of the planes."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", sys.version_info >= (3, 11), f"{version} ({sysconfig.get_platform()})", needed=True)
    yield Finding("platform", True, platform.platform())
    for backend in backends():
        yield from backend.findings()
    yield unless("toxiproxy", toxiproxy.availability())
    linux = sys.platform == "linux"
    elsewhere = f"Linux's, and this is {platform.system()}"
    yield unless("netfilter", packets.netfilter() if linux else elsewhere)
    yield unless("netem", packets.netem() if linux else elsewhere)
    yield unless("netem seed", packets.netem_seed() if linux else elsewhere)
