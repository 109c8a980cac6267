"""PURE: the configuration of this plane as it travels -> links, checked before anything is started."""

from __future__ import annotations

from typing import NamedTuple

from chaos.faults.fault import ToxicFault
from chaos.planes.toxiproxy.toxics import KINDS
from chaos.rules import BadConfiguration, Decoded, Map, address, check_indexes, decoded, field, mapping, one_of
from nodes.wire.addresses import Internet
from nodes.wire.transports import STREAMS

ToxicRule = Decoded[ToxicFault]


class LinkPlan(NamedTuple):
    """One link, to be given a proxy, at `port` of a server that runs; 0: at a free one."""

    name: str
    upstream: Internet
    rules: tuple[ToxicRule, ...]
    port: int


class Plan(NamedTuple):
    """`listen` is the host at which the proxies listen; `api` an http URL of a running server, None to start one."""

    seed: int
    listen: str
    api: str | None
    links: tuple[LinkPlan, ...]


def planned(command: Map) -> Plan:
    """Raises BadConfiguration."""
    links = tuple(_link(mapping(link, "a link")) for link in field(command, "links", list, "configure"))
    names = [link.name for link in links]
    if len(set(names)) != len(names):
        raise BadConfiguration(f"link names must differ, got {', '.join(names)}")
    check_indexes(rule.index for link in links for rule in link.rules)
    if command.get("rules"):
        raise BadConfiguration("Toxiproxy stands in links: it has no rules that belong to none")
    api = None if command.get("api") is None else field(command, "api", str, "configure")
    if api is None and any(link.port for link in links):
        raise BadConfiguration("a server of our own takes free ports: 'port' is for one that runs ('api')")
    seed = field(command, "seed", int, "configure")
    return Plan(seed, field(command, "listen", str, "configure"), api, links)


def _link(link: Map) -> LinkPlan:
    name = field(link, "name", str, "a link")
    where = f"link {name!r}"
    one_of(link, "transport", STREAMS, where)
    upstream = address(link.get("upstream"))
    if upstream is None:
        raise BadConfiguration(f"{where}: Toxiproxy needs the server's address from the beginning, got none")
    rules = (
        decoded(mapping(rule, f"a rule of {where}"), name, KINDS, "Toxiproxy plane")
        for rule in field(link, "rules", list, where)
    )
    port = field(link, "port", int, where) if "port" in link else 0
    return LinkPlan(name, upstream, tuple(rules), port)
