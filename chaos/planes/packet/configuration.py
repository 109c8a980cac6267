"""PURE: the packet plane's configuration as it travels -> rules and where they apply.

{"seed", "links": [{"name", "transport", "source", "target", "upstream": [host, port], "rules": [...]}],
"rules": [...Split...], "places": {node: {"address", "netns": PATH} or {"address", "container": ID, "helper": IMAGE}}}
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Any, NamedTuple

from chaos.faults import packets, paths
from chaos.faults.fault import PacketFault
from chaos.faults.packets import Split
from chaos.faults.rooms import kinds
from chaos.planes.packet.mechanism import Flow, Rule
from chaos.rules import (
    BadConfiguration,
    Map,
    address,
    check_indexes,
    decoded,
    field,
    mapping,
    one_of,
)
from nodes.wire.transports import LINKS

KINDS = kinds(PacketFault, paths, packets)
"""The faults of packets, by the names that they travel under."""


class NamedPlace(NamedTuple):
    """A node's network namespace by its file."""

    address: str
    netns: str


class ContainerPlace(NamedTuple):
    """A node's container. `helper` is an image with nft and tc, for where its namespace cannot be entered directly."""

    address: str
    container: str
    helper: str


class Configuration(NamedTuple):
    seed: int
    links: list[Flow]
    rules: list[Rule]
    active: list[int]
    """Indexes of the rules that are on from the beginning."""


def configuration(command: Map) -> Configuration:
    """Raises BadConfiguration."""
    links: list[Flow] = []
    found = []
    for link in field(command, "links", list, "configure"):
        flow = _flow(mapping(link, "a link"))
        links.append(flow)
        for value in field(link, "rules", list, f"link {flow.link!r}"):
            rule = decoded(mapping(value, f"a rule of link {flow.link!r}"), flow.link, KINDS, "packet plane")
            found.append((Rule(rule.index, rule.fault, flow), rule.active))
    for value in field(command, "rules", list, "configure"):
        whole = decoded(mapping(value, "a rule"), None, KINDS, "packet plane")
        found.append((Rule(whole.index, whole.fault, None), whole.active))
    check_indexes(rule.index for rule, _ in found)
    rules = [rule for rule, _ in found]
    return Configuration(
        field(command, "seed", int, "configure"), links, rules, [rule.index for rule, active in found if active]
    )


def places(command: Map) -> dict[str, NamedPlace | ContainerPlace]:
    """Where each node is, by its name. Raises BadConfiguration."""
    given = mapping(command.get("places"), "'places'")
    return {node: _place(node, mapping(value, f"the place of {node!r}")) for node, value in given.items()}


def check_places(config: Configuration, known: Any) -> None:
    """Every node of a link or a Split has a place. Raises BadConfiguration."""
    nodes = {node for flow in config.links for node in (flow.client, flow.server)}
    for rule in config.rules:
        if isinstance(rule.fault, Split):
            nodes |= set(rule.fault.members)
    if missing := sorted(nodes - set(known)):
        raise BadConfiguration(f"no place is given for {', '.join(missing)}; there are {', '.join(known) or 'none'}")


def _flow(link: Map) -> Flow:
    name = field(link, "name", str, "a link")
    where = f"link {name!r}"
    upstream = address(link.get("upstream"))
    if upstream is None:
        raise BadConfiguration(f"{where}: 'upstream' must be the server's [host, port]")
    return Flow(
        name,
        one_of(link, "transport", LINKS, where),
        field(link, "source", str, where),
        field(link, "target", str, where),
        upstream[1],
    )


def _place(node: str, value: Map) -> NamedPlace | ContainerPlace:
    where = f"the place of {node!r}"
    host = field(value, "address", str, where)
    try:
        IPv4Address(host)
    except AddressValueError as error:
        raise BadConfiguration(f"{where}: 'address' must be an IPv4 address: {error}") from error
    if "netns" in value:
        return NamedPlace(host, field(value, "netns", str, where))
    return ContainerPlace(host, field(value, "container", str, where), field(value, "helper", str, where))
