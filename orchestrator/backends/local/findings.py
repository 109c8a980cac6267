"""What of this machine nodes need that run on it, and why it cannot be had."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator

from nodes.engines import NAMES, availability
from orchestrator.backends.backend import Finding, unless


def findings() -> Iterator[Finding]:
    for transport, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
        yield _loopback(transport, kind)
    yield _stop_signal()
    for name in NAMES:
        yield unless(f"engine {name}", availability(name))


def _loopback(transport: str, kind: socket.SocketKind) -> Finding:
    subject = f"loopback {transport}"
    try:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            return Finding(subject, True, f"bound 127.0.0.1:{probe.getsockname()[1]}", needed=True)
    except OSError as error:
        return Finding(subject, False, f"cannot bind 127.0.0.1: {error.strerror or error}", needed=True)


def _stop_signal() -> Finding:
    if hasattr(signal, "SIGSTOP") and hasattr(signal, "SIGKILL"):
        return Finding("process faults", True, "SIGKILL, SIGSTOP and SIGCONT")
    return Finding("process faults", False, "this system has no SIGSTOP and SIGKILL, so no pause and no failpoints")
