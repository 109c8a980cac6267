"""Network namespaces of a test's own on one switch, and sockets in them. All are gone when the test ends."""

from __future__ import annotations

import ctypes
import itertools
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

TIMEOUT = 100
CLONE_NEWNET = 0x40000000  # setns(2)
_numbers = itertools.count()


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Inside:
    """Makes sockets in a network namespace, by a thread that is in it."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._thread.submit(_enter, path).result()

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._thread.shutdown()

    def socket(self, address: str, kind: int) -> socket.socket:
        """Bound to an address there. Its reads wait, with a bound that is never met."""
        sock = self._thread.submit(socket.socket, socket.AF_INET, kind).result()
        sock.settimeout(TIMEOUT)
        sock.bind((address, 0))
        return sock


def _enter(path: str) -> None:
    """Put the calling thread into a network namespace."""
    with open(path) as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")


def run_inside(path: str, *command: str) -> str:
    """-> the standard output of a command in a network namespace."""
    entered = ["nsenter", f"--net={path}", *command]
    return subprocess.run(entered, check=True, capture_output=True, text=True).stdout


class Switched:
    """Nodes at 10.77.0.1, .2, ... The switch has a namespace of its own, so that no filter of the host meets it."""

    def __init__(self, stack: ExitStack, *nodes: str) -> None:
        self._stack = stack
        self._mark = f"fbtest{os.getpid()}n{next(_numbers)}"
        self.addresses = {node: f"10.77.0.{n}" for n, node in enumerate(nodes, 1)}
        self._insides: dict[str, Inside] = {}
        self._namespace("switch")
        ip("-n", self.name("switch"), "link", "add", "switch", "type", "bridge")
        ip("-n", self.name("switch"), "link", "set", "switch", "up")
        for node in nodes:
            self.plug(node)

    def name(self, node: str) -> str:
        return f"{self._mark}-{node}"

    def path(self, node: str) -> str:
        return f"/run/netns/{self.name(node)}"

    def plug(self, node: str) -> None:
        """A new namespace for the node."""
        self._namespace(node)
        inside, port = self.name(node), f"to-{node}"
        peer = ("type", "veth", "peer", "name", port, "netns", self.name("switch"))
        ip("-n", inside, "link", "add", "net", *peer)
        ip("-n", inside, "address", "add", f"{self.addresses[node]}/24", "dev", "net")
        ip("-n", inside, "link", "set", "net", "up")
        ip("-n", self.name("switch"), "link", "set", port, "master", "switch", "up")
        self._insides[node] = self._stack.enter_context(Inside(self.path(node)))

    def unplug(self, node: str) -> None:
        """The node's namespace ends, with all that is in it."""
        self._insides.pop(node).close()
        ip("-n", self.name("switch"), "link", "delete", f"to-{node}")  # the kernel takes its time with a namespace
        ip("netns", "delete", self.name(node))

    def places(self) -> dict[str, dict[str, str]]:
        return {node: {"address": address, "netns": self.path(node)} for node, address in self.addresses.items()}

    def socket(self, node: str, kind: int) -> socket.socket:
        return self._stack.enter_context(self._insides[node].socket(self.addresses[node], kind))

    def run(self, node: str, *command: str) -> str:
        return run_inside(self.path(node), *command)

    def ruleset(self, node: str) -> str:
        return self.run(node, "nft", "list", "ruleset")

    def _namespace(self, node: str) -> None:
        ip("netns", "add", self.name(node))
        self._stack.callback(self._delete, node)
        ip("-n", self.name(node), "link", "set", "lo", "up")

    def _delete(self, node: str) -> None:
        if Path(self.path(node)).exists():
            ip("netns", "delete", self.name(node))
