"""One orchestrator at an agent: its processes and their evidence, until its connection ends."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodes import sqlite_ledger
from nodes.clock import now
from nodes.control import TOKEN_VARIABLE, ControlError, parse_control_line
from orchestrator.agent.channel import Channel, Message
from orchestrator.agent.folders import new_folder
from orchestrator.agent.offer import offer
from orchestrator.backends.attach.protocol import (
    CHUNK,
    ROLES,
    SIGNALS,
    BadRequest,
    arguments,
    file_name,
    number,
    process_name,
    report_fields,
    veil,
)
from orchestrator.backends.host import PARTS, Ended, Failed, Line, Report
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.this_machine import command_line, part_line

LOG_TAIL = 8192

Life = tuple[int, str, int]
"""(cell, name, epoch)"""


class Session:
    """Obeys one orchestrator. Its processes have a supervisor of their own, so that they end with it.

    Making one raises OSError or SessionError where this host has no room for it, and has left nothing then.
    """

    def __init__(self, channel: Channel, secret: bytes) -> None:
        self.id = secrets.token_hex(16)
        self._channel = channel
        self._secret = secret
        self._home = new_folder()
        try:
            self._supervisor = Supervisor(self.id)
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise
        self._lives: set[Life] = set()
        self._controls: dict[Life, tuple[str, int]] = {}
        self._commands: dict[str, Callable[[Message], dict[str, Any]]] = {
            "hello": self._hello,
            "clock": self._clock,
            "open": self._open,
            "spawn": self._spawn,
            "signal": self._signal,
            "archive": self._archive,
            "list": self._list,
            "read": self._read,
            "close": self._close,
        }

    def obey(self, command: Message) -> dict[str, Any]:
        """-> the body of the answer. Raises BadRequest, OSError, LedgerError: the command was not obeyed."""
        act = self._commands.get(command["type"])
        if act is None:
            raise BadRequest(f"an agent has no command {command['type']!r:.80}; it has {', '.join(self._commands)}")
        try:
            return act(command)
        except KeyError as error:
            raise BadRequest(f"{command['type']} lacks {error}") from None

    def control(self, life: Life) -> tuple[str, int]:
        """Where a process's control endpoint listens. Raises BadRequest for one that has not said it."""
        try:
            return self._controls[life]
        except KeyError:
            raise BadRequest(f"{life[1]} (epoch {life[2]}) has no control endpoint here") from None

    def leave(self) -> None:
        """End its connection; whoever obeys it then ends it. From any thread."""
        self._channel.close()

    def end(self) -> None:
        """Kill every process, wait for it, and remove what it left."""
        self._supervisor.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _hello(self, command: Message) -> dict[str, Any]:
        return {"session": self.id, "reached": self._channel.socket.getsockname()[0], **offer()}

    def _clock(self, command: Message) -> dict[str, Any]:
        received = now()
        return {"received": received, "sent": now()}

    def _open(self, command: Message) -> dict[str, Any]:
        self._folder(command, made=False).mkdir()
        return {}

    def _spawn(self, command: Message) -> dict[str, Any]:
        life = self._life(command)
        cell, name, epoch = life
        role, engine, files, folder = command["role"], command["engine"], command["files"], self._folder(command)
        if role not in ROLES | PARTS or not isinstance(engine, str | None) or not isinstance(files, int | None):
            raise BadRequest(f"no process has role {role!r:.40}, engine {engine!r:.40} and {files!r:.40} descriptors")
        told = arguments(command.get("arguments", []))
        if life in self._lives:
            raise BadRequest(f"{name} was started as epoch {epoch} before")
        token = veil(command["token"], self._secret, self.id, cell, name, epoch)
        self._lives.add(life)
        log = folder / f"{name}.{epoch}.log"
        argv = part_line(role, told) if role in PARTS else command_line(name, role, epoch, folder, engine)
        environment = {TOKEN_VARIABLE: token.hex()}
        tell = self._teller(life, log)
        self._supervisor.spawn(_key(life), argv, environment, folder, log, tell, files)
        return {}

    def _teller(self, life: Life, log: Path) -> Callable[[Report], None]:
        """What passes on reports of one process, in the supervisor's reader thread."""
        cell, name, epoch = life

        def tell(report: Report) -> None:
            if isinstance(report, Line) and life not in self._controls:
                try:
                    self._controls[life] = parse_control_line(report.text)
                except ControlError:
                    pass  # the orchestrator gets the line too, and says what is wrong with it
            tail = _tail(log) if isinstance(report, Ended | Failed) else ""
            head = {"type": "report", "cell": cell, "name": name, "epoch": epoch}
            try:
                self._channel.send({**head, **report_fields(report, tail)})
            except (ControlError, OSError):
                pass  # the orchestrator has gone; the session ends with it

        return tell

    def _signal(self, command: Message) -> dict[str, Any]:
        if command["signal"] not in SIGNALS:
            raise BadRequest(f"no signal {command['signal']!r:.40}; expected one of {', '.join(sorted(SIGNALS))}")
        self._supervisor.signal(_key(self._life(command)), command["signal"])
        return {}

    def _archive(self, command: Message) -> dict[str, Any]:
        sqlite_ledger.archive(self._folder(command) / f"{process_name(command['name'])}.ledger")
        return {}

    def _list(self, command: Message) -> dict[str, Any]:
        names = {process_name(name) for name in command["names"]}
        files = (path for path in self._folder(command).iterdir() if path.name.partition(".")[0] in names)
        return {"files": {path.name: path.stat().st_size for path in files}}

    def _read(self, command: Message) -> dict[str, Any]:
        with (self._folder(command) / file_name(command["file"])).open("rb") as file:
            file.seek(number(command["offset"]))
            return {"data": file.read(CHUNK)}

    def _close(self, command: Message) -> dict[str, Any]:
        shutil.rmtree(self._folder(command))
        return {}

    def _life(self, command: Message) -> Life:
        return number(command["cell"]), process_name(command["name"]), number(command["epoch"])

    def _folder(self, command: Message, made: bool = True) -> Path:
        cell = number(command["cell"])
        folder = self._home / str(cell)
        if folder.exists() is not made:
            raise BadRequest(f"cell {cell} is {'not open' if made else 'open already'} here")
        return folder


def _key(life: Life) -> str:
    return "{}/{}.{}".format(*life)


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - LOG_TAIL, 0))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
