"""An inventory file: which agents there are, and what knowledge of them the orchestrator needs.

    token_file: token                     # beside the inventory
    agents:
      alpha: {address: "10.0.0.5:7400"}
      beta: {address: "beta:7400", data: 10.1.0.6}
      gamma: {address: "10.0.0.7:7400", relay: true, nodes: false}
    toxiproxy: {api: "http://10.0.0.7:8474", host: 10.0.0.7}

`address` is the agent's, `data` is where the sockets of its nodes are bound and reached (without it, the address at
which the agent was reached); the relay runs on the agent that says so, else on the first; `nodes: false` keeps nodes
away from an agent.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from nodes.control import ControlError, token_from_hex
from orchestrator.scenario.document import MAX_BYTES, Mistakes, Node, bad_file, parse
from orchestrator.scenario.inputs import read
from orchestrator.scenario.typed import typed
from orchestrator.scenario.value import Value

TOKEN_BYTES = 16
"""The shortest token that is accepted: 128 bits cannot be guessed."""
TOKEN_FILE_BYTES = 4096
"""The largest file that is read as a token: a hundred times as long as one is."""
ENDPOINT = "an address HOST:PORT, such as 127.0.0.1:7400"
FORMAT = "an inventory, a mapping with token_file and agents (docs/agents.md)"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def parse_endpoint(text: str) -> tuple[str, int]:
    """HOST:PORT or [IPv6]:PORT -> (host, port). Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(f"expected {ENDPOINT}, got {text!r:.80}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _endpoint(text: str) -> str:
    try:
        parse_endpoint(text)
    except ValueError:
        raise ValueError(ENDPOINT) from None  # the caller says that it was expected
    return text


class AgentEntry(Value):
    """See this module."""

    address: Annotated[str, AfterValidator(_endpoint)]
    data: str | None = Field(default=None, min_length=1)
    relay: bool = False
    nodes: bool = True


class ToxiproxyEntry(Value):
    """A Toxiproxy that runs: its HTTP API, and the host at which its proxies listen and are called."""

    api: str = Field(pattern=r"^https?://[^/]+$")
    host: str = Field(min_length=1)


class InventoryFile(Value):
    """The file's content."""

    token_file: str = Field(min_length=1)
    agents: dict[str, AgentEntry] = Field(min_length=1)
    toxiproxy: ToxiproxyEntry | None = None


class Inventory(NamedTuple):
    """An inventory file, read, with the token that it names."""

    path: Path
    token: bytes
    agents: dict[str, AgentEntry]
    toxiproxy: ToxiproxyEntry | None


def load(path: Path) -> Inventory:
    """Raises BadScenario, which names the file, and each line and place in it that is wrong."""
    try:
        text = read(path, MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise bad_file(str(path), f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise bad_file(str(path), f"byte {error.start} is not UTF-8; expected {FORMAT}") from None
    root = parse(text, str(path), FORMAT)
    if root.mapping is None:
        raise root.bad(f"expected {FORMAT}")
    mistakes = Mistakes()
    content = mistakes.attempt(lambda: typed(InventoryFile, root))
    if content is not None:
        _check(content, root.mapping["agents"], mistakes)
    token = mistakes.attempt(partial(_token, path.parent, root.mapping.get("token_file")))
    mistakes.check()
    assert content is not None
    return Inventory(path, token or b"", content.agents, content.toxiproxy)


def _token(folder: Path, name: Node | None) -> bytes | None:
    """None: another mistake says why it has no name."""
    if name is None or not isinstance(name.value, str) or not name.value:
        return None
    try:
        return read_token(folder / name.value)
    except ControlError as error:
        raise name.bad(str(error)) from None


def _check(content: InventoryFile, agents: Node, mistakes: Mistakes) -> None:
    relays = [name for name, entry in content.agents.items() if entry.relay]
    if len(relays) > 1:
        mistakes.add(agents.bad(f"{' and '.join(relays)} have the relay; expected one of them"))
    if not any(entry.nodes for entry in content.agents.values()):
        mistakes.add(agents.bad("every one has `nodes: false`; expected one that takes nodes"))
    places = Counter(entry.address for entry in content.agents.values())
    for name, entry in content.agents.items():
        if not _NAME.fullmatch(name):
            mistakes.add(agents.bad("expected a name of small letters, digits and -", name))
        if places[entry.address] > 1:
            mistakes.add(agents.bad(f"{entry.address} is two agents' address", name, "address"))


def read_token(path: Path) -> bytes:
    """The token in a file, in hexadecimal. Raises ControlError, which names the file and the remedy."""
    remedy = f"`faultbed token {path}` makes one, which every agent and orchestrator must have"
    try:
        token = token_from_hex(read(path, TOKEN_FILE_BYTES).decode("ascii").strip())
    except OSError as error:
        raise ControlError(f"{path}: cannot be read: {error.strerror or error}; {remedy}") from None
    except (ControlError, UnicodeDecodeError):
        raise ControlError(f"{path}: no token in hexadecimal; {remedy}") from None
    if len(token) < TOKEN_BYTES:
        raise ControlError(f"{path}: a token of {len(token)} bytes, expected at least {TOKEN_BYTES}; {remedy}")
    return token
