"""The agent's listener: visitors share one loop, and who has proved itself gets a thread, for a session or a tunnel."""

from __future__ import annotations

import socket
import sys
import threading
from itertools import chain
from typing import NamedTuple

from chaos.planes.loop import READ, Loop
from chaos.planes.reception import Proved, Reception
from nodes import log
from nodes.control import ControlError, answer, refusal
from nodes.ledger import LedgerError
from nodes.visitors import AWAITING_MANY
from orchestrator.agent.channel import Channel, Message
from orchestrator.agent.session import Session
from orchestrator.agent.tunnel import join
from orchestrator.backends.attach.protocol import BadRequest, number, process_name
from orchestrator.backends.attach.sockets import keep_alive
from orchestrator.backends.threads import NoThread, start
from orchestrator.run.session import SessionError

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
        self._loop = Loop()
        listener = _listener(listen)
        self.endpoint = Endpoint(*listener.getsockname()[:2])
        self._reception = Reception(self._loop, listener, token, AWAITING_MANY, self._proved, say)
        self._bell, self._heard = socket.socketpair()
        self._loop.watch(self._heard, READ, lambda events: self._loop.stop())

    def serve(self) -> None:
        """Receive until `close`; sessions go on in their threads, which end with the process."""
        try:
            self._loop.run()
        finally:
            self._reception.close()
            self._loop.close(self._heard)

    def close(self) -> None:
        """End every session with its processes; from any thread. Closing twice is allowed."""
        self._bell.close()  # its other end is readable now
        with self._lock:
            sessions = list(self._sessions.values())
        for session, _ in sessions:
            session.leave()
        for _, thread in sessions:
            thread.join()

    def _proved(self, proved: Proved) -> None:
        """A thread for each: one that cannot be started costs this connection alone."""
        who = str(Endpoint(*proved.who[:2]))
        channel = Channel(proved)
        try:
            start(self._attend, who, channel, who)
        except NoThread as error:
            say(f"{who}: {error}")
            _refuse(channel, str(error))
            channel.close()

    def _attend(self, channel: Channel, who: str) -> None:
        try:
            keep_alive(channel.socket)
            messages = channel.messages()
            first = next(messages, None)
            if first is not None and first["type"] == "tunnel":
                self._tunnel(channel, first)
            elif first is not None:
                self._converse(channel, who, chain([first], messages))
        except (ControlError, OSError) as error:
            say(f"{who}: {error}")
        except Exception as error:
            say(f"{who}: {type(error).__name__}: {error}")  # it costs this connection alone
        finally:
            channel.close()

    def _converse(self, channel: Channel, who: str, messages: chain[Message]) -> None:
        try:
            session = Session(channel, self._token)
        except (SessionError, OSError) as error:
            say(f"{who}: no session: {error}")
            _refuse(channel, f"no session can be had here: {error}")
            return
        with self._lock:
            self._sessions[session.id] = (session, threading.current_thread())
        say(f"{who}: session {session.id[:8]} begins")
        try:
            for command in messages:
                channel.send(_obey(session, command))
        finally:
            channel.close()  # first: nobody may wait for it to take a report
            session.end()
            say(f"{who}: session {session.id[:8]} has ended, and everything that it started")
            with self._lock:
                del self._sessions[session.id]

    def _tunnel(self, channel: Channel, request: Message) -> None:
        try:
            process = self._process(request)
        except (BadRequest, OSError) as error:
            _refuse(channel, f"no tunnel: {error}")
            return
        try:
            join(channel.socket, process)
        except NoThread as error:
            _refuse(channel, f"no tunnel: {error}")
            raise

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
    except (TypeError, ValueError, OverflowError, AttributeError) as error:  # a field of another type than is due
        return refusal(command, f"{command['type']:.80}: {type(error).__name__}: {error}")


def _refuse(channel: Channel, reason: str) -> None:
    try:
        channel.refuse(reason)
    except OSError:
        pass  # it has gone


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
    log.say(f"faultbed agent: {text}")
