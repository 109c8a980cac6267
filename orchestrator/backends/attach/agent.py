"""The orchestrator's end of one agent: a connection for a whole run, shared by the cells in several threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from nodes.clock import now
from nodes.control import ControlError, WrongToken
from orchestrator.backends.attach.inventory import AgentEntry, parse_endpoint
from orchestrator.backends.attach.placement import Offer
from orchestrator.backends.attach.protocol import BadRequest, parse_report, veil
from orchestrator.backends.attach.sockets import keep_alive
from orchestrator.backends.control_client import HANDSHAKE_SECONDS, ControlClient
from orchestrator.backends.host import Ended, Failed, Launch, Report
from orchestrator.backends.threads import NoThread, start
from orchestrator.history.clocks import Exchange
from orchestrator.run.session import SessionError

PATIENCE = 10.0
"""Seconds for an agent to answer."""
PROBES = 8
"""Exchanges for one estimate of its clock: enough that one of them meets no other work."""

Take = Callable[[Report, str], None]
"""Takes a report of a process, and the end of its log, in the connection's thread: it must not wait."""
Life = tuple[int, str, int]
"""(cell, name, epoch)"""


class Agent:
    """An agent that knows the token and has this orchestrator's version.

    Making one connects. Raises SessionError, whose text names the agent, its address and the remedy.
    """

    def __init__(self, name: str, entry: AgentEntry, token: bytes) -> None:
        self.name = name
        self.entry = entry
        self._token = token
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._answers: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._processes: dict[Life, Take] = {}
        self._last_id = 0
        self._cells = 0
        self._gone: str | None = None
        self._client = self._connect()
        try:
            self._thread = start(self._listen, f"the connection to {self}")
        except NoThread:
            self._client.discard()
            raise
        try:
            self.session, self.offer = self._hello()
        except BaseException:
            self.close()
            raise

    def __str__(self) -> str:
        return f"agent {self.name} at {self.entry.address}"

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """-> the body of the answer. Raises SessionError: it was refused, or the agent is gone."""
        answered = threading.Event()
        bodies: list[dict[str, Any]] = []

        def take(body: dict[str, Any]) -> None:
            bodies.append(body)
            answered.set()

        self.tell(command, take)
        if not answered.wait(PATIENCE):
            raise SessionError(f"{self} did not answer {command['type']!r} within {PATIENCE:.0f} s: does it still run?")
        if "error" in bodies[0]:
            raise SessionError(f"{self}: {bodies[0]['error']}")
        return bodies[0]

    def tell(self, command: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
        """Send a command; `take` gets the body of the answer, {"error": ...} if it was refused or the agent is gone."""
        with self._lock:
            gone = self._gone
            if gone is None:
                self._last_id += 1
                number = self._last_id
                self._answers[number] = take
        if gone is not None:
            take({"error": gone})
            return
        try:
            with self._sending:  # not the tables' lock: the listening thread needs that while we wait for the network
                self._client.send({**command, "id": number})
        except ControlError:
            pass  # the listening thread tells everybody that the agent is gone

    def open_cell(self) -> int:
        """A folder for one cell's evidence -> its number. Raises SessionError."""
        with self._lock:
            self._cells += 1
            cell = self._cells
        self.ask({"type": "open", "cell": cell})
        return cell

    def spawn(self, cell: int, launch: Launch, take: Take) -> None:
        """Start a process. What becomes of it goes to `take`, Failed too if it was refused."""
        life = (cell, launch.name, launch.epoch)
        with self._lock:
            self._processes[life] = take

        def answered(body: dict[str, Any]) -> None:
            if "error" in body and (waiting := self._forget(life)) is not None:
                waiting(Failed(str(body["error"])), "")

        token = veil(bytes.fromhex(launch.token), self._token, self.session, *life)
        what: dict[str, Any] = {
            "role": launch.role,
            "engine": launch.engine,
            "files": launch.limits.files,
            "token": token,
        }
        if launch.arguments:
            what["arguments"] = list(launch.arguments)
        self.tell({"type": "spawn", "cell": cell, "name": launch.name, "epoch": launch.epoch, **what}, answered)

    def tunnel(self, life: Life, timeout: float) -> socket.socket:
        """A connection to a process's control endpoint, through the agent. Raises ControlError, OSError."""
        connection = socket.create_connection(parse_endpoint(self.entry.address), timeout)
        client = ControlClient(connection, self._token)
        keep_alive(connection)
        cell, name, epoch = life
        client.send({"type": "tunnel", "session": self.session, "cell": cell, "name": name, "epoch": epoch})
        connection.settimeout(timeout)
        return connection

    def probe(self) -> list[Exchange]:
        """Some exchanges of times with its clock. Raises SessionError."""
        exchanges = []
        for _ in range(PROBES):
            sent = now()
            body = self.ask({"type": "clock"})
            exchanges.append(Exchange(sent, body["received"], body["sent"], now()))
        return exchanges

    def close(self) -> None:
        """End the connection, and with it everything there. Closing twice is allowed."""
        self._client.close()
        self._thread.join()

    def _connect(self) -> ControlClient:
        try:
            connection = socket.create_connection(parse_endpoint(self.entry.address), HANDSHAKE_SECONDS)
            client = ControlClient(connection, self._token)
            keep_alive(connection)
        except WrongToken as error:
            raise SessionError(f"{self} has another token: give both the same token file ({error})") from None
        except ControlError as error:
            raise SessionError(f"{self} is no agent of this version that has this token: {error}") from None
        except OSError as error:
            remedy = f"start it there with `faultbed agent --listen {self.entry.address} --token-file FILE`"
            raise SessionError(f"{self} does not answer ({error.strerror or error}): {remedy}") from None
        return client

    def _hello(self) -> tuple[str, Offer]:
        body = self.ask({"type": "hello"})
        offer = Offer(*(body[field] for field in Offer._fields))
        ours = version("faultbed")
        if offer.version != ours:
            raise SessionError(f"{self} has Faultbed {offer.version}, this is {ours}: install the same one on both")
        return str(body["session"]), offer

    def _listen(self) -> None:
        try:
            self._client.listen(self._message)
        except (ControlError, BadRequest) as error:
            self._abandon(f"{self} is gone ({error}): see what its log says, start it again and run again")
        except Exception as error:  # nobody else would hear of it
            self._abandon(f"what {self} says cannot be taken: {type(error).__name__}: {error}")

    def _message(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "answer", "id": int(number), **body}:
                with self._lock:
                    take = self._answers.pop(number, None)
                if take is not None:
                    take(body)
            case {"type": "report", "cell": int(cell), "name": str(name), "epoch": int(epoch), **fields}:
                self._report((cell, name, epoch), *parse_report(fields))
            case _:
                raise BadRequest(f"{message!r:.200} is neither an answer nor a report")

    def _report(self, life: Life, report: Report, log: str) -> None:
        with self._lock:
            final = isinstance(report, Ended | Failed)
            take = self._processes.pop(life, None) if final else self._processes.get(life)
        if take is not None:
            take(report, log)

    def _forget(self, life: Life) -> Take | None:
        with self._lock:
            return self._processes.pop(life, None)

    def _abandon(self, reason: str) -> None:
        """Tell whoever still waits for something from there."""
        with self._lock:
            self._gone = reason
            answers, processes = list(self._answers.values()), list(self._processes.values())
            self._answers.clear()
            self._processes.clear()
        for answer in answers:
            answer({"error": reason})
        for process in processes:
            process(Failed(reason), "")
