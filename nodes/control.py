"""PURE: the control protocol, both of its sides, without a socket in sight.

A node or a relay is the *listener*, the orchestrator the *connector*. Rules of this file:

1. Nothing is obeyed before the proof. `receive` returns no message until the other side has shown that it
   knows the token; a frame may have only HANDSHAKE_LIMIT bytes until then.
2. The token never travels. Each side sends a fresh nonce and answers with HMAC-SHA256 (RFC 2104) over a label
   of its own side and both nonces, so that a proof can be neither replayed nor reflected.
3. An error ends the connection. `outgoing` then holds a last frame that tells the other side why; write it,
   close, and report the error. The endpoint accepts nothing more.

    listener                            connector
       | -- {version, nonce} ------------> |
       | <------------- {nonce, mac} ----- |
       | -- {mac} -----------------------> |
       | <== {"type": ..., "id": ...} ==== |   commands, each answered once
       | === {"type": "answer", ...} ====> |
       | === {"type": "event", ...} =====> |   unasked

The caller moves bytes: what it reads goes to `receive`, what `outgoing` and `send` return goes to the socket.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from enum import Enum
from typing import Any

from nodes.wire.errors import shown
from nodes.wire.frames import MAXIMUM, Frame, FrameError, Splitter, encode

VERSION = 1
NONCE_SIZE = 32
HANDSHAKE_LIMIT = 1024
TOKEN_VARIABLE = "FAULTBED_TOKEN"
RUN_VARIABLE = "FAULTBED_RUN"
ORCHESTRATOR_VARIABLE = "FAULTBED_ORCHESTRATOR"

FAILED = 70
"""Exit code of a process that could not go on, and said why (EX_SOFTWARE of sysexits.h)."""
FENCED = 76
"""Exit code of a node whose successor has taken over its ledger (EX_PROTOCOL of sysexits.h)."""

_LISTENER = b"faultbed control 1 listener"
_CONNECTOR = b"faultbed control 1 connector"


class ControlError(Exception):
    """The control connection cannot go on; the text says what happened and why."""


class WrongToken(ControlError):
    """The other side did not prove that it knows the token."""


class WrongVersion(ControlError):
    """The other side speaks another version of this protocol."""


class BadFrame(ControlError):
    """Bytes that are too many, not msgpack, not a map, or a map without the fields that are due."""


class Refused(ControlError):
    """The other side closed the connection and said why."""


class Ended(ControlError):
    """The connection ended where it should not."""


class State(Enum):
    """Where the connection is. FAILED is final."""

    AWAITS_GREETING = "awaits greeting"
    AWAITS_PROOF = "awaits proof"
    OPEN = "open"
    FAILED = "failed"


class Endpoint(ABC):
    """What both sides share. `nonce` is NONCE_SIZE random bytes, fresh for this connection (os.urandom)."""

    def __init__(self, token: bytes, nonce: bytes, state: State) -> None:
        if not token:
            raise ValueError("the control token is empty")
        if len(nonce) != NONCE_SIZE:
            raise ValueError(f"a nonce has {NONCE_SIZE} bytes, not {len(nonce)}")
        self.state = state
        self._token = token
        self._nonce = nonce
        self._splitter = Splitter(HANDSHAKE_LIMIT)
        self._outgoing = bytearray()

    def outgoing(self) -> bytes:
        """What is to be written now, and no longer kept here: steps of the handshake, or the reason of an error."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def send(self, message: Frame) -> bytes:
        """The bytes of one message. Raises ControlError before the proof and after a failure, BadFrame if too large."""
        if self.state is not State.OPEN:
            raise ControlError(f"nothing can be sent while the control connection {self.state.value}")
        try:
            return encode(message)
        except FrameError as error:
            raise BadFrame(str(error)) from error

    def receive(self, data: bytes) -> list[Frame]:
        """The messages that `data` completes, all of them from a side that proved itself.

        Raises a ControlError for the first frame that is wrong; then see rule 3.
        """
        if self.state is State.FAILED:
            raise ControlError("the control connection has failed already")
        try:
            return self._receive(data)
        except (ControlError, FrameError) as error:
            failure = error if isinstance(error, ControlError) else BadFrame(str(error))
            self._fail(failure)
            raise failure from error.__cause__

    def ended(self) -> Ended | None:
        """To be called when the connection ends: what was wrong with ending here, or None if it was due to end."""
        if self.state is State.OPEN and not self._splitter.pending:
            return None
        if self.state is State.OPEN:
            return Ended("the control connection ended in the middle of a frame")
        return Ended(
            f"the control connection ended while it {self.state.value}: "
            "the other side is not a Faultbed process of this run, or it died"
        )

    def _receive(self, data: bytes) -> list[Frame]:
        messages = []
        self._splitter.push(data)
        while (frame := self._splitter.next()) is not None:
            if "refused" in frame and "type" not in frame:
                reason = frame["refused"]
                text = reason[:300] if isinstance(reason, str) else shown(reason)
                raise Refused(f"the other side refused the control connection: {text}")
            if self.state is State.OPEN:
                messages.append(_message(frame))
            else:
                self._handshake(frame)
        return messages

    @abstractmethod
    def _handshake(self, frame: Frame) -> None:
        """Take the next frame of the handshake."""

    def _open(self) -> None:
        self.state = State.OPEN
        self._splitter.limit = MAXIMUM

    def _fail(self, error: ControlError) -> None:
        self.state = State.FAILED
        if not isinstance(error, Refused):
            self._outgoing += encode({"refused": str(error)[:300]})

    def _proof(self, label: bytes, listener: bytes, connector: bytes) -> bytes:
        return hmac.new(self._token, label + listener + connector, hashlib.sha256).digest()


class Listener(Endpoint):
    """The side of a node or a relay. Its `outgoing` has the greeting as soon as it is made."""

    def __init__(self, token: bytes, nonce: bytes) -> None:
        super().__init__(token, nonce, State.AWAITS_PROOF)
        self._outgoing += encode({"version": VERSION, "nonce": nonce})

    def _handshake(self, frame: Frame) -> None:
        theirs = _bytes(frame, "nonce", NONCE_SIZE)
        mac = _bytes(frame, "mac", hashlib.sha256().digest_size)
        if not hmac.compare_digest(mac, self._proof(_CONNECTOR, self._nonce, theirs)):
            raise WrongToken("the connecting side does not know this run's control token")
        self._outgoing += encode({"mac": self._proof(_LISTENER, self._nonce, theirs)})
        self._open()


class Connector(Endpoint):
    """The side of the orchestrator."""

    def __init__(self, token: bytes, nonce: bytes) -> None:
        super().__init__(token, nonce, State.AWAITS_GREETING)
        self._theirs = b""

    def _handshake(self, frame: Frame) -> None:
        if self.state is State.AWAITS_GREETING:
            self._greet(frame)
        else:
            self._verify(frame)

    def _greet(self, frame: Frame) -> None:
        version = frame.get("version")
        if version != VERSION:
            raise WrongVersion(f"the other side speaks control version {shown(version)}, this side version {VERSION}")
        self._theirs = _bytes(frame, "nonce", NONCE_SIZE)
        proof = self._proof(_CONNECTOR, self._theirs, self._nonce)
        self._outgoing += encode({"nonce": self._nonce, "mac": proof})
        self.state = State.AWAITS_PROOF

    def _verify(self, frame: Frame) -> None:
        mac = _bytes(frame, "mac", hashlib.sha256().digest_size)
        if not hmac.compare_digest(mac, self._proof(_LISTENER, self._theirs, self._nonce)):
            raise WrongToken("the listening side does not know this run's control token")
        self._open()


def token_from_hex(text: str) -> bytes:
    """The token in FAULTBED_TOKEN. Raises ControlError for a text that is none."""
    try:
        token = bytes.fromhex(text)
    except ValueError:
        token = b""
    if not token:
        raise ControlError(f"{TOKEN_VARIABLE} must hold the run's control token in hexadecimal")
    return token


def control_line(host: str, port: int) -> str:
    """The one line, without its newline, with which a process says on standard output where it listens."""
    return f"control {host} {port}"


def parse_control_line(line: str) -> tuple[str, int]:
    """(host, port) of a `control_line`. Raises ControlError for anything else."""
    words = line.split()
    if len(words) != 3 or words[0] != "control" or not re.fullmatch("[0-9]{1,5}", words[2]):
        raise ControlError(f"expected the line 'control HOST PORT', got {line!r:.80}")
    return words[1], int(words[2])


def answer(command: Frame, body: Frame) -> Frame:
    """The answer to a command that was obeyed."""
    return {**body, "type": "answer", "id": command.get("id")}


def refusal(command: Frame, error: str) -> Frame:
    """The answer to a command that was not obeyed; `error` says what, why and what was expected."""
    return {"type": "answer", "id": command.get("id"), "error": error}


def event(name: str, number: int, client: int = 0) -> Frame:
    """Something a process tells unasked."""
    return {"type": "event", "event": name, "number": number, "client": client}


def _message(frame: Frame) -> Frame:
    if not isinstance(frame.get("type"), str):
        raise BadFrame("a control message must have a 'type' that is a string")
    return frame


def _bytes(frame: Frame, key: str, size: int) -> bytes:
    value: Any = frame.get(key)
    if not isinstance(value, bytes) or len(value) != size:
        raise BadFrame(f"the control handshake needs {key!r}, {size} bytes: is the other side a Faultbed process?")
    return value
