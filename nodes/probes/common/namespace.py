"""A network of one's own, in which packets can be thrown away without telling anybody (network_namespaces(7), nft(8)).

It is this thread's until the context is left, and gone with the last socket in it. Needs root.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_int

from nodes.engines.common import libc

_NEWNET = 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_REQUEST = "16sH22x"
"""struct ifreq, netdevice(7)."""
_BLACK_HOLE = """\
table inet faultbed_probe {
  chain incoming { type filter hook input priority 0; policy accept; meta l4proto tcp drop; }
}
"""
_PATIENCE = 10.0


def availability() -> str | None:
    """Why there can be no black holes here. It is tried."""
    try:
        with network():
            black_hole()
    except (OSError, AttributeError, subprocess.TimeoutExpired) as error:
        return f"a black hole needs root, a network namespace and nftables: {error}"
    return None


@contextmanager
def network() -> Iterator[None]:
    """With a loopback alone. Raises OSError."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        libc.function("unshare", c_int)(_NEWNET)
        try:
            _loopback_up()
            yield
        finally:
            libc.function("setns", c_int, c_int)(before, _NEWNET)
    finally:
        os.close(before)


def black_hole() -> None:
    """From now on no packet of TCP arrives in this network, and nobody is told."""
    run = subprocess.run(
        ["nft", "-f", "-"], input=_BLACK_HOLE, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if run.returncode:
        raise OSError(f"nft: {run.stderr.strip()}")


def _loopback_up() -> None:
    if sys.platform == "win32":
        return
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        answer = fcntl.ioctl(asking, _GET_FLAGS, struct.pack(_REQUEST, b"lo", 0))
        flags = struct.unpack(_REQUEST, answer)[1]
        fcntl.ioctl(asking, _SET_FLAGS, struct.pack(_REQUEST, b"lo", flags | _UP))
