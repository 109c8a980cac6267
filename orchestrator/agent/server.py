"""The agent's listener: a thread for each connection, which becomes a session or a tunnel into one."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from itertools import chain
from typing import NamedTuple

from nodes.control import ControlError, answer, refusal
from nodes.ledger import LedgerError
from orchestrator.agent.channel import Channel, Message
from orchestrator.agent.protocol import BadRequest, number, process_name
from orchestrator.agent.session import Session
from orchestrator.agent.sockets import keep_alive
from orchestrator.agent.tunnel import join

TUNNEL_SECONDS = 5.0
BACKLOG = 64


class Endpoint(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Server:
    """Listens from its making on. Raises OSError, whose text says what is wrong with the address."""

    def __init__(self, listen: Endpoint, token: bytes) -> None:
        self._token = token
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[Session, threading.Thread]] = {}
        self._listener = _listener(listen)
        self.endpoint = Endpoint(*self._listener.getsockname()[:2])

    def serve(self) -> None:
        """Accept until `close`; sessions go on in their threads, which end with the process."""
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError as error:
                if error.errno in (errno.EBADF, errno.EINVAL):
                    return  # closed
                say(f"a connection could not be accepted: {error}")
                continue
            who = str(Endpoint(*peer[:2]))
            threading.Thread(target=self._attend, args=(connection, who), name=who, daemon=True).start()

    def close(self) -> None:
        """End every session with its processes. Closing twice is allowed."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed already
        self._listener.close()
        with self._lock:
            sessions = list(self._sessions.values())
        for session, _ in sessions:
            session.leave()
        for _, thread in sessions:
            thread.join()

    def _attend(self, connection: socket.socket, who: str) -> None:
        channel = Channel(connection, self._token)
        try:
            keep_alive(connection)
            messages = channel.messages()
            first = next(messages, None)
            if first is not None and first["type"] == "tunnel":
                self._tunnel(channel, first)
            elif first is not None:
                self._converse(channel, who, chain([first], messages))
        except (ControlError, OSError) as error:
            if not channel.silent:
                say(f"{who}: {error}")
        finally:
            channel.close()

    def _converse(self, channel: Channel, who: str, messages: chain[Message]) -> None:
        session = Session(channel, self._token)
        with self._lock:
            self._sessions[session.id] = (session, threading.current_thread())
        say(f"{who}: session {session.id[:8]} begins")
        try:
            for command in messages:
                channel.send(_obey(session, command))
        finally:
            session.end()
            say(f"{who}: session {session.id[:8]} has ended, and everything that it started")
            with self._lock:
                del self._sessions[session.id]

    def _tunnel(self, channel: Channel, request: Message) -> None:
        try:
            process = self._process(request)
        except (BadRequest, OSError) as error:
            channel.refuse(f"no tunnel: {error}")
            return
        join(channel.socket, process)

    def _process(self, request: Message) -> socket.socket:
        """A connection to the control endpoint that the request names. Raises BadRequest, OSError."""
        life = number(request.get("cell")), process_name(request.get("name")), number(request.get("epoch"))
        with self._lock:
            found = self._sessions.get(str(request.get("session")))
        if found is None:
            raise BadRequest("there is no such session here")
        connection = socket.create_connection(found[0].control(life), TUNNEL_SECONDS)
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _obey(session: Session, command: Message) -> Message:
    try:
        return answer(command, session.obey(command))
    except (BadRequest, LedgerError, OSError) as error:
        return refusal(command, str(error))


def _listener(listen: Endpoint) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would share the port with another listener
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((listen.host, listen.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen at {listen}: {error.strerror or error}; choose another --listen") from error
    return listener


def say(text: str) -> None:
    """One line of the agent's log."""
    print(f"faultbed agent: {text}", file=sys.stderr, flush=True)
