"""The processes of ours beside the plane: a server that ends with it, or a guard that outlives it for a moment."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from chaos.planes.toxiproxy import guard
from chaos.planes.toxiproxy.api import ToxiproxyError

PROGRAM = "toxiproxy-server"
PATIENCE = 8.0
"""Seconds for it to listen; 0.05 is usual."""

POLL = 0.002
PR_SET_PDEATHSIG = 1
REMEDY = (
    "put toxiproxy-server 2.x on PATH (a package of its name, a release from github.com/Shopify/toxiproxy, or "
    "`go install`), or use a backend that runs it in a container"
)


def availability() -> str | None:
    """Why no server can be started here, or None."""
    return None if shutil.which(PROGRAM) else f"toxiproxy: no {PROGRAM} on PATH; {REMEDY}"


class OwnServer:
    """The process, from when it listens. Raises ToxiproxyError.

    It is in our process group, which is killed as a whole, and on Linux it is killed when we die, however. `seed` is
    where its random draws begin (jitter, slices, toxicity); which connection meets which draw is not determined.
    """

    def __init__(self, host: str, seed: int) -> None:
        if (reason := availability()) is not None:
            raise ToxiproxyError(reason)
        self._process = subprocess.Popen(
            [PROGRAM, "-host", host, "-port", "0", "-seed", str(seed % 2**63)],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,  # ours is the control line's
            env={"LOG_LEVEL": "warn", **os.environ},
            preexec_fn=_dies_with_us(),
        )
        try:
            self.url = f"http://{host}:{self._port()}"
        except ToxiproxyError:
            self.close()
            raise

    def check(self) -> None:
        """Raises ToxiproxyError if it has ended."""
        if (status := self._process.poll()) is not None:
            raise ToxiproxyError(f"{PROGRAM} (pid {self._process.pid}) has ended with status {status}; see its log")

    def close(self) -> None:
        """It has no state of its own to save."""
        self._process.kill()
        self._process.wait()

    def _port(self) -> int:
        """The one that the system gave it: asked of the system, since it is not told anywhere."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.check()
            for connection in psutil.Process(self._process.pid).net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    return int(connection.laddr.port)
            time.sleep(POLL)
        raise ToxiproxyError(f"{PROGRAM} did not listen within {PATIENCE:.0f} s; see its log")


class Guard:
    """Deletes the proxies at `url` whose names begin with `prefix` when this process has ended, however."""

    def __init__(self, url: str, prefix: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", guard.__file__, url, prefix],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # what kills our group leaves it
        )

    def dismiss(self) -> None:
        """They are deleted, or the server is gone."""
        self._process.kill()
        self._process.communicate()


def _dies_with_us() -> Callable[[], None] | None:
    """PR_SET_PDEATHSIG of prctl(2), to be called in the child; libc is loaded before there is one."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
