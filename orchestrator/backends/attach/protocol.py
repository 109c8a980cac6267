"""PURE: what orchestrator and agent say to one another, beyond the frames of nodes/control.py.

Nothing that names a file or a process is taken from the wire as it comes: names are those of nodes, files are names
of a process with an ending, and neither can leave its folder.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, get_args

from chaos.supports import PLANES
from orchestrator.backends.host import Ended, Failed, Line, Report, Spawned, Stopped
from orchestrator.run.session import SignalName

CHUNK = 512 * 1024
"""Bytes of a file in one answer; a control frame holds twice as many."""
ROLES = frozenset({"node", *PLANES})
SIGNALS: frozenset[str] = frozenset(get_args(SignalName))

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_FILE = re.compile(r"([a-z0-9][a-z0-9-]{0,63})\.[a-z0-9.-]{1,64}")
_ARGUMENT = re.compile(r"(--)?[a-z0-9][a-z0-9_,-]{0,4000}")
_MOST_ARGUMENTS = 16
_TOKEN = b"faultbed agent 1 token"


class BadRequest(Exception):
    """A command that is not obeyed; the text says what was wrong with it."""


def process_name(value: object) -> str:
    """Raises BadRequest for anything that is not a process's name."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadRequest(f"{value!r:.80} is no name of a process; expected small letters, digits and -")
    return value


def file_name(value: object) -> str:
    """Raises BadRequest for anything that is not the name of a file that a process leaves in its folder."""
    if not isinstance(value, str) or not _FILE.fullmatch(value) or ".." in value:
        raise BadRequest(f"{value!r:.80} is no name of a journal, a ledger or a log")
    return value


def arguments(value: object) -> list[str]:
    """Raises BadRequest for anything but what a part of ours can be told."""
    if not isinstance(value, list) or len(value) > _MOST_ARGUMENTS:
        raise BadRequest(f"{value!r:.80} are no arguments; expected a list of at most {_MOST_ARGUMENTS}")
    if bad := [one for one in value if not isinstance(one, str) or not _ARGUMENT.fullmatch(one)]:
        raise BadRequest(f"{bad[0]!r:.80} is no argument of a part; expected names, and nothing else")
    return value


def number(value: object) -> int:
    """Raises BadRequest for anything but an integer from 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRequest(f"{value!r:.80} is no number; expected an integer from 0")
    return value


def veil(token: bytes, secret: bytes, session: str, cell: int, name: str, epoch: int) -> bytes:
    """A process's control token as it travels, and back again: no token goes over the network in clear.

    It is combined with a one-time key of equal length, HMAC-SHA256 (RFC 2104) of the agent's secret token over what
    names this process: a session's id is random and an epoch is started once, so no key is used twice.
    """
    if len(token) != hashlib.sha256().digest_size:
        raise BadRequest(f"a process's token has {hashlib.sha256().digest_size} bytes, not {len(token)}")
    label = b"\0".join((_TOKEN, session.encode(), str(cell).encode(), name.encode(), str(epoch).encode()))
    key = hmac.new(secret, label, hashlib.sha256).digest()
    return bytes(a ^ b for a, b in zip(token, key, strict=True))


def report_fields(report: Report, log: str) -> dict[str, Any]:
    """`log` is the end of the process's log, for one that has ended."""
    match report:
        case Spawned(pid):
            return {"spawned": pid}
        case Line(text):
            return {"line": text}
        case Stopped():
            return {"stopped": True}
        case Ended(signal, code):
            return {"ended": [signal, code], "log": log}
        case Failed(reason):
            return {"failed": reason, "log": log}


def parse_report(fields: dict[str, Any]) -> tuple[Report, str]:
    """-> the report and the end of the log. Raises BadRequest for fields that are none."""
    log = str(fields.get("log", ""))
    match fields:
        case {"spawned": int(pid)}:
            return Spawned(pid), log
        case {"line": str(text)}:
            return Line(text), log
        case {"stopped": True}:
            return Stopped(), log
        case {"ended": [int(signal), int(code)]}:
            return Ended(signal, code), log
        case {"failed": str(reason)}:
            return Failed(reason), log
    raise BadRequest(f"{fields!r:.200} is no report of a process")
