"""What this machine can do, and why not where it cannot."""

from __future__ import annotations

import platform
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from typing import NamedTuple

from chaos.planes.packet import availability as packets
from chaos.planes.toxiproxy import child as toxiproxy
from nodes.engines import NAMES, availability
from orchestrator.backends.docker.engine import connect
from orchestrator.backends.docker.image import check_image, image_name
from orchestrator.run.session import SessionError

PATIENCE = 20.0
"""Seconds for a command that takes milliseconds."""


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
        yield _unless(f"engine {name}", reason)
    yield from _docker()
    yield _compose()
    yield _unless("toxiproxy", toxiproxy.availability())
    linux = sys.platform == "linux"
    elsewhere = f"Linux's, and this is {platform.system()}"
    yield _unless("netfilter", packets.netfilter() if linux else elsewhere)
    yield _unless("netem", packets.netem() if linux else elsewhere)
    yield _unless("netem seed", packets.netem_seed() if linux else elsewhere)


def _unless(subject: str, reason: str | None) -> Finding:
    return Finding(subject, reason is None, reason or "available")


def _docker() -> Iterator[Finding]:
    try:
        client = connect()
    except SessionError as error:
        yield Finding("docker", False, str(error))
        return
    try:
        yield Finding("docker", True, f"engine {client.version()['Version']}")
        check_image(client, image_name())
        yield Finding("docker image", True, image_name())
    except SessionError as error:
        yield Finding("docker image", False, str(error))
    finally:
        client.close()


def _compose() -> Finding:
    if shutil.which("docker") is None:
        return Finding("docker compose", False, "there is no program 'docker' on PATH: install Docker's command line")
    command = ["docker", "compose", "version", "--short"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Finding("docker compose", False, f"{' '.join(command)} did not end within {PATIENCE:.0f} s")
    if asked.returncode != 0:
        return Finding("docker compose", False, "docker has no command 'compose': install Docker's Compose plug-in")
    return Finding("docker compose", True, asked.stdout.strip())


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
