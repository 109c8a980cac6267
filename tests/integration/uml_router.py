"""A router with a kernel of its own: User-Mode Linux between two taps, for what this machine's kernel cannot do.

It runs in namespaces of its own for processes, mounts and the network; the machine's files are its root, read-only.
Whatever ends the first of its processes ends them all, and the taps go with them.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from requirements import need, need_root

from chaos.planes.packet.entering import failure

LOOP = Path(__file__).with_name("uml_loop.py")
PLAIN_REGISTERS = Path(__file__).with_name("plain_registers.py")
MODULES = Path("/usr/lib/uml/modules")
NEEDED = ("sch_htb", "sch_tbf", "sch_netem", "cls_u32")
TAPS = ("tap0", "tap1")
EVERY = "192.0.2.0/24"
"""Both sides (RFC 5737, for documentation): nothing but the namespaces ever hears of it."""
PATIENCE = 100.0
"""Seconds to start, or for one command, on a machine that is very busy; it takes 2, a whole run 15."""
LIMIT = 3 * PATIENCE
"""Of a test, pytest's: a router that does not answer has been waited for, and then for its end, and that is told."""
TOOLS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the guest looks for programs: the kernel gives its first process no PATH."""
PANIC = "Kernel panic"
PLAIN = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX",
    "OPENSSL_ia32cap": "~0x1000000000000000:0",
}
"""The environment of the guest's programs: what plain_registers.py keeps from the kernel does not outlast a page fault,
so that their libraries must not use it."""

INIT = """#!/bin/sh
export PATH={path}
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs none /run
mkdir -p /run/kernel/lib/modules
ln -s {modules}/$(uname -r) /run/kernel/lib/modules/$(uname -r)
for module in {needed}; do modprobe -d /run/kernel $module; done
exec {python} -I -S {loop}
"""


def need_router() -> None:
    """The test skips where there can be none."""
    need_root()
    for program in ("linux.uml", "modprobe", "unshare"):
        need(program, "netem (by a User-Mode Linux router)")
    if not MODULES.exists():
        pytest.skip(f"netem: no modules for User-Mode Linux in {MODULES}")


class Router:
    """The guest. A Namespace of chaos.planes.packet: tools run in it, on its kernel."""

    def __init__(self, stack: ExitStack, home: Path, memory: str = "128M", modules: Sequence[str] = ()) -> None:
        """`modules` are what it needs beside. None that brings IPv6 along where taps are used: IPv6 speaks as soon as
        an interface is up, and the driver gives up a tap that does not listen yet."""
        self._console = home / "console"
        init = home / "init"
        needed = " ".join([*NEEDED, *modules])
        init.write_text(INIT.format(path=TOOLS, modules=MODULES, needed=needed, python=sys.executable, loop=LOOP))
        init.chmod(0o755)
        console = stack.enter_context(self._console.open("wb"))
        apart = ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"]
        self._process = subprocess.Popen(
            [*apart, *_command(init, memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=console,
            env={**os.environ, "HOME": str(home), "TMPDIR": str(home)},
            start_new_session=True,
        )
        stack.callback(self._end)
        assert self._answer() == {"ready": True}
        self.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])

    def connect(self, tap: str, namespace: str, near: str, far: str) -> None:
        """Put a tap, with the address `far`, into a namespace, and `near` at this end, as its way to elsewhere."""
        own = f"vec{TAPS.index(tap)}"
        self.run(["ip", "address", "add", f"{near}/30", "dev", own])
        self.run(["ip", "link", "set", own, "up"])  # which makes the tap
        inside = ["nsenter", f"--net={namespace}", "ip"]
        _host(["nsenter", f"--net=/proc/{self._process.pid}/ns/net", "ip", "link", "set", tap, "netns", namespace])
        _host([*inside, "address", "add", f"{far}/30", "dev", tap])
        _host([*inside, "link", "set", tap, "up"])
        _host([*inside, "route", "add", EVERY, "via", near])

    def run(self, argv: Sequence[str], text: str = "") -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"argv": list(argv), "text": text}).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._answer()
        if answer["code"]:
            raise failure(list(argv), "the router", answer["err"])
        out: str = answer["out"]
        return out

    def abandon(self) -> None:
        """What is left of a test that was killed: the other end of a pipe."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def gone(self) -> bool:
        """Whether it ends by itself."""
        self._process.wait(PATIENCE)
        return True

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline() if self._speaks(self._process.stdout) else b""
        assert line, f"no answer of the router; its console:\n{self._said()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _speaks(self, line: IO[bytes]) -> bool:
        """Whether something comes, or the end: a guest that has panicked stays there and is silent."""
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(line, selectors.EVENT_READ)
            while not (found := selector.select(1)) and time.monotonic() < deadline and PANIC not in self._said():
                continue
        return bool(found)

    def _said(self) -> str:
        return self._console.read_text(errors="replace")

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if self._process.poll() is None:
                for guest in psutil.Process(self._process.pid).children():  # its parent reaps it and ends
                    guest.kill()
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()


def _command(init: Path, memory: str) -> list[str]:
    ends = [f"vec{n}:transport=tap,ifname={tap},depth=64" for n, tap in enumerate(TAPS)]
    root = ["rootfstype=hostfs", "root=/dev/root", "rootflags=/", "ro", f"init={init}"]
    return [
        *(sys.executable, "-I", "-S", str(PLAIN_REGISTERS)),
        "linux.uml",
        f"mem={memory}",
        *root,
        "con=null",
        "con0=null,fd:2",
        "ssl=null",
        "ssl0=fd:0,fd:1",
        "quiet",
        *ends,
        *(f"{name}={value}" for name, value in PLAIN.items()),
    ]


def _host(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
