"""What this machine can do, and why not where it cannot."""

from __future__ import annotations

import platform
import signal
import socket
import sys
import sysconfig
from collections.abc import Iterator
from typing import NamedTuple

from nodes.engines import NAMES, availability


class Finding(NamedTuple):
    """`needed`: nothing runs on the local backend without it."""

    subject: str
    works: bool
    detail: str
    needed: bool = False


def findings() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", sys.version_info >= (3, 11), f"{version} ({sysconfig.get_platform()})", needed=True)
    yield Finding("platform", True, platform.platform())
    for transport, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
        yield _loopback(transport, kind)
    yield _stop_signal()
    for name in NAMES:
        reason = availability(name)
        yield Finding(f"engine {name}", reason is None, reason or "available")


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
