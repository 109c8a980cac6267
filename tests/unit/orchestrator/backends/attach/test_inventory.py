"""Inventories: what a good one says, and the one message of a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.control import ControlError
from orchestrator.backends.attach.inventory import load, parse_endpoint, read_token
from orchestrator.scenario.document import BadScenario

TOKEN = "ab" * 32
GOOD = """\
token_file: token
agents:
  alpha: {address: "10.0.0.5:7400"}
  beta: {address: "[fd00::6]:7400", data: 10.1.0.6, relay: true, nodes: false}
toxiproxy: {api: "http://10.0.0.7:8474", host: 10.0.0.7}
"""


def write(folder: Path, text: str, token: str = TOKEN) -> Path:
    (folder / "token").write_text(token + "\n")
    path = folder / "inventory.yaml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str, token: str = TOKEN) -> str:
    with pytest.raises(BadScenario) as caught:
        load(write(folder, text, token))
    return str(caught.value).replace(str(folder), "")


def test_a_whole_inventory(tmp_path: Path) -> None:
    found = load(write(tmp_path, GOOD))
    assert found.token == bytes.fromhex(TOKEN)
    assert [(name, entry.address, entry.data, entry.relay, entry.nodes) for name, entry in found.agents.items()] == [
        ("alpha", "10.0.0.5:7400", None, False, True),
        ("beta", "[fd00::6]:7400", "10.1.0.6", True, False),
    ]
    assert found.toxiproxy is not None
    assert found.toxiproxy.host == "10.0.0.7"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("alpha: {address", "alpha: {adress"), "/inventory.yaml:3: agents.alpha: key 'address' is missing"),
        (
            ('"10.0.0.5:7400"', '"10.0.0.5"'),
            "/inventory.yaml:3: agents.alpha.address: expected an address HOST:PORT, such as",
        ),
        (("10.0.0.5:7400", "10.0.0.5:74000"), "/inventory.yaml:3: agents.alpha.address: "),
        (("alpha:", "Alpha:"), "/inventory.yaml:3: agents.Alpha: expected a name of small letters, digits and -"),
        (("token_file: token", "token_file: nothing"), "/inventory.yaml:1: token_file: /nothing: cannot be read"),
        (("[fd00::6]:7400", "10.0.0.5:7400"), "10.0.0.5:7400 is two agents' address"),
        (('7400"}', '7400", relay: true}'), "alpha and beta have the relay; expected one of them"),
        (('7400"}', '7400", nodes: false}'), "every one has `nodes: false`; expected one that takes nodes"),
        (("http://10.0.0.7:8474", "10.0.0.7:8474"), "/inventory.yaml:5: toxiproxy.api: "),
        (("toxiproxy:", "toxyproxy:"), "unknown key; expected token_file, agents, toxiproxy (did you mean toxiproxy?)"),
    ],
)
def test_a_bad_one_says_where_and_what(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert message in refused(tmp_path, GOOD.replace(*change))


@pytest.mark.parametrize("text", ["", "# nothing\n", "- alpha\n", "agents: {}\n---\nagents: {}\n", "a: [\n"])
def test_what_is_no_inventory_at_all(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text).startswith("/inventory.yaml:")


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("token", "message"), [("xyz", "no token in hexadecimal"), ("", "no token"), ("abcd", "a token of 2 bytes")]
)
def test_a_token_that_is_none_names_the_remedy(tmp_path: Path, token: str, message: str) -> None:
    write(tmp_path, GOOD, token)
    with pytest.raises(ControlError, match=rf"{message}.*`faultbed token "):
        read_token(tmp_path / "token")


@pytest.mark.parametrize(
    "text", ["host", "host:", ":7400", "host:port", "host:65536", "host:-1", "host:٣", "host:" + "9" * 5000]
)
def test_an_endpoint_is_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match="expected an address HOST:PORT"):
        parse_endpoint(text)
