"""PURE: a relay's configuration as it travels: {"seed", "links": [{"name", "transport", "codec", "upstream", "epoch",
"rules": [...]}]} -> hops. What comes in is checked as in chaos/rules.py.

A link to a member of a group also has its "source", whose links are those to the group, and which "member" it is.

A link may have a "log" too, the entries of chaos/recorded.py: they decide then instead of its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from chaos.decide import Rule, decider
from chaos.framers import CODECS, DATAGRAM_CODECS, STREAM_CODECS, Framer, Framers, framers
from chaos.framers.message import KINDS
from chaos.hop import Hop
from chaos.recorded import Entry, entry_of, replayer
from chaos.rules import BadConfiguration, Map, address, check_indexes, decoded, field, mapping, one_of
from nodes.wire.addresses import Internet
from nodes.wire.record import Note
from nodes.wire.transports import LINKS, TO_GROUPS, TRANSPORTS

CARRIED = (*LINKS, *TO_GROUPS)
"""The transports that a relay stands in the way of."""


class LinkPlan(NamedTuple):
    """One link, ready to be opened. `upstream` None: the server is not there yet. `port` 0: at a free one. `group`: who
    sends to the group that it is a part of; "" for none."""

    hop: Hop
    transport: str
    upstream: Internet | None
    epoch: int
    port: int
    codec: str
    group: str = ""


def plans(command: Map, note: Note) -> dict[str, LinkPlan]:
    """The links of a configure command, by name. Raises BadConfiguration."""
    seed = field(command, "seed", int, "configure")
    made: dict[str, LinkPlan] = {}
    for link in field(command, "links", list, "configure"):
        plan = _plan(mapping(link, "a link"), seed, note)
        if plan.hop.link in made:
            raise BadConfiguration(f"link {plan.hop.link!r} is given twice")
        made[plan.hop.link] = plan
    check_indexes(rule for plan in made.values() for rule in plan.hop.rules)
    return made


def rule_of(value: Map, link: str) -> tuple[Rule, bool]:
    """A rule of a relay and whether it is on. Raises BadConfiguration."""
    rule = decoded(value, link, KINDS, "relay")
    return Rule(rule.index, rule.fault), rule.active


def check_possible(link: str, rules: Iterable[Rule], framer: Framer) -> None:
    """Whether the link's protocol allows its rules. Raises BadConfiguration."""
    for rule in rules:
        name = rule.fault.verb
        if name not in framer.decisions:
            raise BadConfiguration(
                f"link {link}: the fault {name!r} (rule {rule.index}) is not possible in its protocol; "
                f"possible are {', '.join(sorted(framer.decisions))}"
            )


def _plan(link: Map, seed: int, note: Note) -> LinkPlan:
    name = field(link, "name", str, "a link")
    where = f"link {name!r}"
    transport = one_of(link, "transport", CARRIED, where)
    codec = one_of(link, "codec", CODECS, where)
    bounded = TRANSPORTS[transport].bounded
    if bounded and codec in STREAM_CODECS:
        raise BadConfiguration(f"{where}: {codec} is a protocol of streams, expected transport tcp")
    if not bounded and codec in DATAGRAM_CODECS:
        raise BadConfiguration(f"{where}: {codec} is a protocol of datagrams, expected transport udp")
    rules = [rule_of(mapping(rule, f"a rule of {where}"), name) for rule in field(link, "rules", list, where)]
    to_group = transport in TO_GROUPS
    member = field(link, "member", int, where) if to_group else 0
    make: Callable[[], Framers] = partial(framers, codec, transport, member)
    check_possible(name, [rule for rule, _ in rules], make()["request"])
    decide = replayer(_log(link, where)) if "log" in link else decider(seed, [rule for rule, _ in rules])
    on = [rule.index for rule, active in rules if active]
    hop = Hop(name, make, decide, [rule.index for rule, _ in rules], on, note, stream=not bounded)
    port = field(link, "port", int, where) if "port" in link else 0
    epoch = field(link, "epoch", int, where)
    group = field(link, "source", str, where) if to_group else ""
    return LinkPlan(hop, transport, address(link.get("upstream")), epoch, port, codec, group)


def _log(link: Map, where: str) -> list[Entry]:
    try:
        entries = [entry_of(value) for value in field(link, "log", list, where)]
    except ValueError as error:
        raise BadConfiguration(f"{where}: its log: {error}") from error
    if strange := next((key.link for key, _, _ in entries if key.link != link["name"]), None):
        raise BadConfiguration(f"{where}: its log has an entry of link {strange!r}")
    return entries
