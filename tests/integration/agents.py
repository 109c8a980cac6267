"""Agents as processes of their own on loopback, and the inventory that names them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from running import COMMAND, Running

TOKEN = "6b" * 32
OTHER_TOKEN = "7c" * 32


class AgentProcess(Running):
    """`faultbed agent` at a free port of loopback; `prefix` goes before the command."""

    def __init__(self, cwd: Path, token: Path, prefix: tuple[str, ...] = ()) -> None:
        arguments = ("agent", "--listen", "127.0.0.1:0", "--token-file", str(token))
        super().__init__(cwd, *arguments, command=[*prefix, *COMMAND])
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        assert words[:1] == ["agent"], (words, self.process.stderr and self.process.stderr.read())
        self.address = words[1]


def token_file(folder: Path, token: str = TOKEN) -> Path:
    path = folder / f"token-{token[:2]}"
    path.write_text(token + "\n")
    return path


def inventory(folder: Path, token: Path, **agents: str) -> Path:
    """agents: name=ADDRESS; the first one has the relay."""
    lines = [f"token_file: {token}", "agents:"]
    lines += [f"  {name}: {{address: '{address}'}}" for name, address in agents.items()]
    path = folder / "inventory.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def running_agents(folder: Path, *prefixes: tuple[str, ...]) -> Iterator[list[AgentProcess]]:
    """One agent for each prefix."""
    token = token_file(folder)
    with ExitStack() as stack:
        yield [stack.enter_context(AgentProcess(folder, token, prefix)) for prefix in prefixes]


def in_another_clock(seconds: int) -> tuple[str, ...]:
    """What puts a command into a time namespace of its own (time_namespaces(7)), its clock so far ahead."""
    return ("unshare", "--time", "--fork", "--kill-child", "--monotonic", str(seconds), "--boottime", str(seconds))
