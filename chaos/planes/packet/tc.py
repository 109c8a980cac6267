"""PURE: shaping of packets as traffic control's commands (tc(8)): netem (tc-netem(8)) and token buckets (tc-tbf(8)).

Rules of this file:

1. Packets are shaped where they leave: at the device by which they go to their receiver, whatever its name.
2. At the root of a device is a qdisc of our own that passes on at once whatever no rule is about (tc-htb(8), "default"
   0). It is added, never put in the place of another one.
3. Each rule of the cell has a class, with the qdisc that shapes in it, and a filter that leads its packets there. The
   rule's index makes all their numbers, so that the filters are tried in the order of the rules.
4. A rule that goes takes its filter away; its class stays until it is empty: what was delayed is not lost by that.
5. A packet is matched by the receiver's address, the protocol and the server's port. Of a datagram in fragments only
   the first has the port.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

from chaos.faults.packets import Netem, Shape
from chaos.faults.paths import Rate
from chaos.identity import Direction
from chaos.planes.packet.mechanism import Flow
from nodes.wire.transports import TRANSPORTS

BATCH = ("tc", "-batch", "-")
"""Takes the lines made here."""
VERSION = ("tc", "-V")
RELEASE = ("uname", "-r")
SEED_SINCE = (6, 6)
"""The first Linux and the first iproute2 whose netem takes a seed."""

_ROOT = "f:"
_FIRST_LEAF = 0x1000
_CLASS = "htb rate 100gbit quantum 200000"  # no limit; above that quantum tc warns
_QUEUE = 100_000  # packets: a queue that overflows would lose some that nobody asked to lose
_BUFFER = 1 << 26  # bytes
_BURSTS = 100
"""Bursts a second: a bucket must hold what passes between two ticks of a slow kernel's clock (tc-tbf(8), "burst")."""
_ETHERNET = 14  # bytes of a frame's header

ShapeFault = Netem | Rate


class Leaf(NamedTuple):
    """What the qdisc of a rule has had to do with."""

    packets: int
    bytes: int
    """Sent on."""
    lost: int
    waiting: int


class Device(NamedTuple):
    name: str
    mtu: int


def route(address: str) -> tuple[str, ...]:
    """Prints what `device_name` reads."""
    return ("ip", "-j", "-4", "route", "get", address)


def device_name(listing: str) -> str:
    """The device by which packets to the asked address leave."""
    name: str = json.loads(listing)[0]["dev"]
    return name


def link(name: str) -> tuple[str, ...]:
    """Prints what `device` reads."""
    return ("ip", "-j", "link", "show", "dev", name)


def device(listing: str) -> Device:
    found = json.loads(listing)[0]
    return Device(found["ifname"], found["mtu"])


def show(name: str) -> tuple[str, ...]:
    """Prints what `has_root` and `leaves` read."""
    return ("tc", "-s", "-j", "qdisc", "show", "dev", name)


def has_root(listing: str) -> bool:
    return any(qdisc.get("root") and qdisc["handle"] == _ROOT for qdisc in json.loads(listing))


def leaves(listing: str) -> dict[int, Leaf]:
    """By the index of the rule."""
    return {
        int(qdisc["handle"].rstrip(":"), 16) - _FIRST_LEAF: _leaf(qdisc)
        for qdisc in json.loads(listing)
        if qdisc.get("parent", "").startswith(_ROOT)
    }


def _leaf(qdisc: dict[str, Any]) -> Leaf:
    return Leaf(qdisc["packets"], qdisc["bytes"], qdisc["drops"], qdisc["qlen"])


def root(name: str) -> str:
    return _lines([f"qdisc add dev {name} root handle {_ROOT} htb default 0"])


def remove_root(name: str) -> str:
    """And with it all that is in it. Refused for another root than ours."""
    return _lines([f"qdisc delete dev {name} root handle {_ROOT}"])


def install(index: int, on: Device, fault: ShapeFault, match: str, seed: int | None) -> str:
    """What switches a rule on at a device with our root. `seed` is netem's, None where it takes none."""
    own = f"{_ROOT}{index + 1:x}"
    handle = f"{_FIRST_LEAF + index:x}:"
    return _lines(
        [
            f"class add dev {on.name} parent {_ROOT} classid {own} {_CLASS}",
            f"qdisc add dev {on.name} parent {own} handle {handle} {_discipline(fault, on, seed)}",
            f"filter add dev {on.name} parent {_ROOT} protocol ip pref {index + 1} u32 {match} flowid {own}",
        ]
    )


def withdraw(index: int, name: str) -> str:
    """What switches it off."""
    return _lines([f"filter delete dev {name} parent {_ROOT} protocol ip pref {index + 1}"])


def remove(index: int, name: str) -> str:
    """What removes the class of a rule that is off."""
    return _lines([f"class delete dev {name} classid {_ROOT}{index + 1:x}"])


def match(flow: Flow, direction: Direction, receiver: str) -> str:
    """How the packets of one direction are known (tc-u32(8)). `receiver` is the address that they go to."""
    protocol = TRANSPORTS[flow.transport].number
    port = "dport" if direction == "request" else "sport"
    return f"match ip dst {receiver}/32 match ip protocol {protocol} 0xff match ip {port} {flow.port} 0xffff"


def directions(fault: ShapeFault) -> tuple[Direction, ...]:
    asked = fault.of if isinstance(fault, Netem) else fault.rate
    return ("request", "reply") if asked == "both" else (asked,)


def seed_of(seed: int, index: int, direction: Direction) -> int:
    """A seed of netem's, 64 bits, for one rule and direction of a run with `seed`."""
    text = f"{index} {direction}"
    digest = blake2b(text.encode(), digest_size=8, key=str(seed).encode(), person=b"netem seed")
    return int.from_bytes(digest.digest(), "big")


def takes_seed(version: str, release: str) -> bool:
    """By what VERSION and RELEASE print."""
    return all(_number(text) >= SEED_SINCE for text in (version.partition("iproute2-")[2], release))


def failed_line(said: str, text: str) -> str:
    """Which of the lines of `text` BATCH failed at; all of them if it does not say."""
    found = re.search(r"Command failed -:(\d+)", said)
    return text.splitlines()[int(found[1]) - 1] if found else text.strip()


def _number(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _discipline(fault: ShapeFault, on: Device, seed: int | None) -> str:
    if isinstance(fault, Rate):
        rate = fault.bytes_per_second
        return f"tbf rate {rate}bps burst {max(on.mtu + _ETHERNET, rate // _BURSTS)} limit {_BUFFER}"
    chosen = "" if seed is None else f" seed {seed}"
    return f"netem limit {_QUEUE} {' '.join(_effects(fault.netem))}{chosen}"


def _effects(shape: Shape) -> Iterable[str]:
    if shape.delay is not None:
        yield f"delay {shape.delay}ms"
        if shape.jitter is not None:
            yield f"{shape.jitter}ms"
            if shape.delay_correlation is not None:
                yield _percent(shape.delay_correlation)
        if shape.distribution not in (None, "uniform"):  # which is netem's own, and has no name there
            yield f"distribution {shape.distribution}"
    if shape.loss is not None:
        yield f"loss random {_percent(shape.loss)}"
        if shape.loss_correlation is not None:
            yield _percent(shape.loss_correlation)
    for effect, share in (("duplicate", shape.duplicate), ("corrupt", shape.corrupt), ("reorder", shape.reorder)):
        if share is not None:
            yield f"{effect} {_percent(share)}"
    if shape.bytes_per_second is not None:
        yield f"rate {shape.bytes_per_second}bps"


def _percent(share: float) -> str:
    return f"{share * 100:.6f}".rstrip("0").rstrip(".") + "%"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
