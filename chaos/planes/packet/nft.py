"""PURE: packet faults as nftables rulesets (nft(8)).

Rules of this file:

1. Packets are dropped where they arrive. Dropped where they leave, the sender would be told (EPERM from sendto), and a
   lost packet tells nobody.
2. Everything is in one table of our own; each rule of the cell has a chain of its own at the input hook, so that it
   comes and goes whole, in one transaction, whatever else is on.
3. A packet is matched by both addresses and the server's port, never by an interface's name, so control traffic, which
   comes from elsewhere, always passes.
4. Counters outlive their chain: read after it went, they have counted every packet that it took.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from chaos.faults.packets import Blackhole, Loss, Reject
from chaos.faults.paths import Partition
from chaos.identity import Direction
from chaos.planes.packet.connections import Peer
from chaos.planes.packet.mechanism import Flow
from nodes.wire.transports import TRANSPORTS

TABLE = "ip faultbed"
COMMAND = ("nft", "-f", "-")
"""Takes what `install`, `remove` and `forget` make."""
LIST = ("nft", "-j", "list", "counters")
"""Prints what `counted` reads."""

_MODULUS = 1 << 24
"""Resolution of a probability: `numgen random` is an integer below it."""


class Clause(NamedTuple):
    """One line of a ruleset: what arrives at `node` and matches is counted and meets `verdict`."""

    node: str
    link: str
    direction: Direction
    match: str
    verdict: str = "drop"


class Counter(NamedTuple):
    packets: int
    bytes: int


def clauses(
    fault: Loss | Partition | Reject | Blackhole, flow: Flow, addresses: Mapping[str, str], peers: Sequence[Peer] = ()
) -> list[Clause]:
    """What a fault on a link is made of. `peers` are the clients of the connections that are open: a Blackhole takes
    the n-th, and is made of nothing if there are fewer.

    Raises ValueError for a fault that these packets cannot have.
    """
    request, reply = _matches(flow, addresses)
    match fault:
        case Loss():
            share = _share(fault)
            return [
                clause._replace(match=f"{clause.match} {share}".rstrip())
                for clause in _both(flow, request, reply)
                if fault.loss in (clause.direction, "both")
            ]
        case Partition():
            return [c for c in _both(flow, request, reply) if fault.partition in (c.direction, "both")]
        case Reject():
            return [Clause(flow.server, flow.link, "request", _asking(request, flow), _rejection(fault, flow))]
        case Blackhole():
            return _hole(fault, flow, request, reply, peers)


def split_clauses(
    pairs: Iterable[tuple[str, str]], links: Iterable[Flow], addresses: Mapping[str, str]
) -> list[Clause]:
    """What a partition by group is made of: every packet from one node to the other, whatever it carries."""
    names: dict[tuple[str, str], tuple[str, Direction]] = {}
    for flow in links:
        names.setdefault((flow.client, flow.server), (flow.link, "request"))
        names.setdefault((flow.server, flow.client), (flow.link, "reply"))
    made = []
    for sender, receiver in sorted(pairs):
        link, direction = names.get((sender, receiver), (f"{sender} -> {receiver}", "request"))
        made.append(Clause(receiver, link, direction, _between(addresses[sender], addresses[receiver])))
    return made


def install(index: int, lines: Sequence[Clause]) -> str:
    """The transaction that switches a rule on in one namespace. `lines` are that node's clauses.

    Refused by nft where the rule, or a counter that would not begin at 0, is there already.
    """
    chain = _chain(index)
    text = [f"add table {TABLE}"]
    text += [f"create counter {TABLE} {counter_name(index, n)}" for n in range(len(lines))]
    text.append(f"create chain {TABLE} {chain} {{ type filter hook input priority filter; policy accept; }}")
    text += [
        f'add rule {TABLE} {chain} {line.match} counter name "{counter_name(index, n)}" {line.verdict}'
        for n, line in enumerate(lines)
    ]
    return _text(text)


def take(index: int) -> tuple[str, ...]:
    """The command that switches it off, prints what `counted` reads, and takes what `forget` makes.

    One command for three transactions, since starting it in a helper container is what takes the time.
    """
    return ("sh", "-c", f'nft "$0" && {" ".join(LIST)} && exec {" ".join(COMMAND)}', remove(index))


def remove(index: int) -> str:
    """The transaction that switches it off; its counters stay."""
    return _text([f"flush chain {TABLE} {_chain(index)}", f"delete chain {TABLE} {_chain(index)}"])


def forget(index: int, lines: Sequence[Clause]) -> str:
    """The transaction that removes the counters of a rule that is off."""
    return _text([f"delete counter {TABLE} {counter_name(index, n)}" for n in range(len(lines))])


def remove_table() -> str:
    """The transaction that removes all that was ever made here; nothing else."""
    return _text([f"add table {TABLE}", f"delete table {TABLE}"])


def counter_name(index: int, line: int) -> str:
    return f"rule_{index}_{line}"


def counted(listing: str) -> dict[str, Counter]:
    """What LIST printed -> counters by name."""
    objects = (item.get("counter") for item in json.loads(listing)["nftables"])
    return {
        item["name"]: Counter(item["packets"], item["bytes"])
        for item in objects
        if item is not None and f"{item['family']} {item['table']}" == TABLE
    }


def _chain(index: int) -> str:
    return f"rule_{index}"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _between(sender: str, receiver: str) -> str:
    return f"ip saddr {sender} ip daddr {receiver}"


def _matches(flow: Flow, addresses: Mapping[str, str]) -> tuple[str, str]:
    """How requests and replies are known."""
    client, server = addresses[flow.client], addresses[flow.server]
    return (
        f"{_between(client, server)} {flow.transport} dport {flow.port}",
        f"{_between(server, client)} {flow.transport} sport {flow.port}",
    )


def _both(flow: Flow, request: str, reply: str) -> list[Clause]:
    return [Clause(flow.server, flow.link, "request", request), Clause(flow.client, flow.link, "reply", reply)]


def _share(fault: Loss) -> str:
    """nft(8), "Numgen expression": counting up from 0, or the kernel's own generator, which takes no seed."""
    if fault.every is not None:
        return f"numgen inc mod {fault.every} {fault.every - 1}"
    probability = fault.probability or 0.0
    if probability < 1 / _MODULUS:
        raise ValueError(f"loss on {fault.link!r}: probability is {probability}, expected above 1e-7")
    below = round(probability * _MODULUS)
    return f"numgen random mod {_MODULUS} < {below}" if below < _MODULUS else ""


def _connected(flow: Flow) -> bool:
    return TRANSPORTS[flow.transport].connected


def _asking(request: str, flow: Flow) -> str:
    """Segments that open a connection or end a piece of data (PSH). A late acknowledgement asks for nothing: rejecting
    it would end a connection that nobody is using."""
    return f"{request} tcp flags & (syn | psh) != 0" if _connected(flow) else request


def _rejection(fault: Reject, flow: Flow) -> Literal["reject with tcp reset", "reject with icmp port-unreachable"]:
    if fault.reject == "icmp":
        return "reject with icmp port-unreachable"
    if not _connected(flow):
        raise ValueError(f"reject: rst on {flow.link!r}: {flow.transport} knows no reset; use reject: icmp")
    return "reject with tcp reset"


def _hole(fault: Blackhole, flow: Flow, request: str, reply: str, peers: Sequence[Peer]) -> list[Clause]:
    if not _connected(flow):
        raise ValueError(f"blackhole on {flow.link!r}: {flow.transport} has no connections; use loss or partition")
    if len(peers) < fault.blackhole:
        return []
    peer = peers[fault.blackhole - 1]
    return _both(flow, f"{request} tcp sport {peer.port}", f"{reply} tcp dport {peer.port}")
