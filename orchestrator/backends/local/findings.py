"""What of this machine nodes need that run on it, and why it cannot be had."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator

from nodes.engines import NAMES, availability
from orchestrator.backends.backend import Finding
from orchestrator.report.engines import row

_PATIENCE = 5.0
"""Seconds that a packet may take to come back to this host."""


def findings() -> Iterator[Finding]:
    for transport, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
        yield _loopback(transport, kind)
    yield _stop_signal()
    for name in NAMES:
        yield _engine(name)


def _engine(name: str) -> Finding:
    """With what it offers, or why it cannot run."""
    if (reason := availability(name)) is not None:
        return Finding(f"engine {name}", False, reason)
    return Finding(f"engine {name}", True, f"available: {row(name).line}")


def _loopback(transport: str, kind: socket.SocketKind) -> Finding:
    """It is tried: an address can be bound while its interface is down."""
    subject = f"loopback {transport}"
    try:
        return Finding(subject, True, f"{_crossed(kind)} was reached", needed=True)
    except OSError as error:
        return Finding(subject, False, f"127.0.0.1 cannot be reached: {error.strerror or error}", needed=True)


def _crossed(kind: socket.SocketKind) -> str:
    """-> the address that a connection was made to, or a datagram sent. Raises OSError."""
    with socket.socket(socket.AF_INET, kind) as there, socket.socket(socket.AF_INET, kind) as here:
        there.bind(("127.0.0.1", 0))
        here.settimeout(_PATIENCE)
        there.settimeout(_PATIENCE)
        if kind == socket.SOCK_STREAM:
            there.listen(1)
        here.connect(there.getsockname())
        if kind == socket.SOCK_DGRAM:
            here.send(b"?")
            there.recv(1)
        return "{}:{}".format(*there.getsockname())


def _stop_signal() -> Finding:
    if hasattr(signal, "SIGSTOP") and hasattr(signal, "SIGKILL"):
        return Finding("process faults", True, "SIGKILL, SIGSTOP and SIGCONT")
    return Finding("process faults", False, "this system has no SIGSTOP and SIGKILL, so no pause and no failpoints")
