"""Where oracles find what they ask: services by name, files by the scenario's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Places(NamedTuple):
    """`services` has the address of each service's own container, past every proxy."""

    services: Mapping[str, str]
    folder: Path

    def address(self, endpoint: str) -> tuple[str, int]:
        """Of "service:port". Raises ValueError for a service that the project has not."""
        service, _, port = endpoint.rpartition(":")
        return self.host(service), int(port)

    def host(self, service: str) -> str:
        """Raises ValueError."""
        if service not in self.services:
            known = ", ".join(sorted(self.services)) or "none"
            raise ValueError(f"no service {service!r} of the project runs; there are {known}")
        return self.services[service]
