"""The parent of all nodes of one `faultbed run`: a small process that outlives the orchestrator by a moment only.

Run as `python -I -m faultbed.part supervisor`. It reads commands, and writes what happened, as JSON, one object a
line:

    {"spawn": KEY, "argv": [...], "env": {...}, "cwd": DIR, "log": FILE, "files": n | null}
        env is added to the supervisor's own; files limits open descriptors (RLIMIT_NOFILE, getrlimit(2))
        -> {"spawned": KEY, "pid": n} or {"failed": KEY, "error": TEXT}, also later, of one that was killed for it
    {"signal": KEY, "name": "kill" | "stop" | "continue"}    without effect on a process that has ended
        -> {"stopped": KEY} once "stop" was sent
    -> {"line": KEY, "text": TEXT}    a line of its standard output
    -> {"exited": KEY, "signal": n, "code": n}    reaped; signal is 0 unless one ended it

Rules of this file:

1. When standard input ends, however the orchestrator went, every child is killed at once, stopped ones too, and
   reaped. So is it when the supervisor is told to terminate or can no longer write.
2. Each child leads a session and process group of its own (setsid(2)): a Ctrl-C at the terminal reaches the
   orchestrator alone, and a signal for a node reaches whatever that node started, which is killed at its end too.
3. Hardly more than the standard library is imported, and little of it: this process is on the way of every start.
4. Nodes and planes are forked from it where that can be done (faultbed/forked.py): what they import it loads with the
   first of them, once for all.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from faultbed import forked
from orchestrator.backends.remedies import remedy

SIGNALS = {"kill": "SIGKILL", "stop": "SIGSTOP", "continue": "SIGCONT"}
LONGEST_LINE = 4096


class Child:
    """One process and what it has written of a line; whole lines are told, and kept in its log too.

    `told`: its end has been told already.
    """

    def __init__(self, key: str, process: subprocess.Popen[bytes] | forked.Forked, log: IO[bytes]) -> None:
        self.key = key
        self.process = process
        self.log = log
        self.line = b""
        self.told = False
        assert process.stdout is not None
        self.output = process.stdout.fileno()
        os.set_blocking(self.output, False)

    def read(self) -> list[str]:
        """-> the lines that are complete now. Raises EOFError at the end of the output."""
        data = os.read(self.output, 65536)
        if not data:
            raise EOFError
        self.log.write(data)
        *lines, self.line = (self.line + data).split(b"\n")
        self.line = self.line[:LONGEST_LINE]
        return [line[:LONGEST_LINE].decode("utf-8", "replace") for line in lines]

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """And whatever it started, also where it has ended itself."""
        with suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)

    def close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()


class Parent:
    """Children by key, and one loop over the orchestrator's pipe, the children's output and SIGCHLD."""

    def __init__(self, commands: int, tell: Callable[[dict[str, Any]], None]) -> None:
        self._commands = commands
        self._tell = tell
        self._children: dict[str, Child] = {}
        self._buffer = b""
        self._selector = selectors.DefaultSelector()
        self._ending = False

    def run(self) -> None:
        """Obey until the commands end, then kill and reap everything."""
        wakeup = self._catch_signals()
        self._selector.register(self._commands, selectors.EVENT_READ, self._obey)
        self._selector.register(wakeup, selectors.EVENT_READ, lambda: os.read(wakeup, 4096))
        try:
            while not self._ending:
                for key, _ in self._selector.select():
                    key.data()
                self._reap()
        finally:
            self._kill_all()

    def _catch_signals(self) -> int:
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        os.set_blocking(writable, False)
        signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        return readable

    def _end(self) -> None:
        self._ending = True

    def _obey(self) -> None:
        data = os.read(self._commands, 65536)
        if not data:
            self._end()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if "spawn" in command:
                self._spawn(command)
            else:
                self._signal(command)

    def _spawn(self, command: dict[str, Any]) -> None:
        key = command["spawn"]
        try:
            child = _start(key, command)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._tell({"failed": key, "error": f"it could not be started: {error}{remedy(error)}"})
            return
        self._children[key] = child
        self._selector.register(child.output, selectors.EVENT_READ, lambda: self._read(child))
        self._tell({"spawned": key, "pid": child.process.pid})

    def _signal(self, command: dict[str, Any]) -> None:
        child = self._children.get(command["signal"])
        # Reaping happens in this loop alone, so a child still in the table cannot have given its pid to another.
        if child is not None:
            child.signal(getattr(signal, SIGNALS[command["name"]]))
            if command["name"] == "stop":
                self._tell({"stopped": child.key})

    def _read(self, child: Child) -> bool:
        """-> whether there may be more to read now."""
        try:
            lines = child.read()
        except BlockingIOError:
            return False
        except EOFError:
            self._selector.unregister(child.output)
            return False
        except OSError as error:
            self._give_up(child, f"its log {child.log.name} cannot be written: {error.strerror}")
            return False
        for line in lines:
            self._tell({"line": child.key, "text": line})
        return True

    def _reap(self) -> None:
        for child in list(self._children.values()):
            status = child.process.poll()
            if status is None:
                continue
            child.kill()
            if child.output in self._selector.get_map():
                self._drain(child)
            child.close()
            del self._children[child.key]
            if not child.told:
                self._tell({"exited": child.key, "signal": max(-status, 0), "code": max(status, 0)})

    def _give_up(self, child: Child, reason: str) -> None:
        """What is not recorded is worth nothing: it is killed, and reaped without a word."""
        self._selector.unregister(child.output)
        child.signal(signal.SIGKILL)
        child.told = True
        self._tell({"failed": child.key, "error": reason})

    def _drain(self, child: Child) -> None:
        """What the child wrote before it ended comes before the news of its end."""
        while self._read(child):
            pass
        if child.output in self._selector.get_map():
            self._selector.unregister(child.output)

    def _kill_all(self) -> None:
        for child in self._children.values():
            child.kill()
        for child in self._children.values():
            child.process.wait()


def _start(key: str, command: dict[str, Any]) -> Child:
    limit = _limit(command.get("files"))
    log = open(command["log"], "ab", buffering=0)  # noqa: SIM115 - the child's for as long as it lives
    try:
        return Child(key, _process(command, log, limit), log)
    except OSError:
        log.close()
        raise


def _process(
    command: dict[str, Any], log: IO[bytes], limit: Callable[[], None] | None
) -> subprocess.Popen[bytes] | forked.Forked:
    part = forked.named(command["argv"])
    if part is not None:
        return forked.start(part, command["argv"], command["env"], command["cwd"], log.fileno(), limit)
    return subprocess.Popen(
        command["argv"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=command["cwd"],
        env={**os.environ, **command["env"]},
        start_new_session=True,
        bufsize=0,
        preexec_fn=limit,
    )


def _limit(files: int | None) -> Callable[[], None] | None:
    """What a child does to itself before it becomes the process. Raises OSError: no such limit can be set here."""
    if files is None:
        return None
    import resource  # only where it is needed: not every system has it

    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    if highest != resource.RLIM_INFINITY and files > highest:
        raise OSError(f"limits.files: {files} is above this system's own limit of {highest}; give it less")
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def tell(message: dict[str, Any]) -> None:
    """One line to the orchestrator, whole: os.write may take a part of it only."""
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def main() -> int:
    try:
        Parent(0, tell).run()
    except BrokenPipeError:
        return 1  # the orchestrator is gone; the children were killed on the way here
    return 0


if __name__ == "__main__":
    sys.exit(main())
