"""What each plane says of a configuration with one value altered: `configured.txt`.

`make stored` writes it anew; the difference is to be read then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgpack
from alterations import lines, places_of

from chaos.faults.messages import Delay, Drop, Duplicate
from chaos.faults.packets import Blackhole, Loss, Netem, Shape, Split
from chaos.faults.streams import Latency, Slicer
from chaos.links import plans
from chaos.planes.packet.configuration import configuration, places
from chaos.planes.toxiproxy.plan import planned
from chaos.rules import BadConfiguration

FILE = Path(__file__).with_suffix(".txt")
TITLE = "=== "
LINK = "client -> server"


def link(*faults: Any, **more: Any) -> dict[str, Any]:
    rules = [
        {"index": index, "kind": type(fault).__name__, "active": True, **asdict(fault)}
        for index, fault in enumerate(faults)
    ]
    given = {"name": LINK, "transport": "tcp", "codec": "xdr", "upstream": ["127.0.0.1", 9], "epoch": 1, "rules": rules}
    return {**given, **more}


def command(made: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "configure", "seed": 7, "links": [made], **more}


SPLIT = {
    "index": 9,
    "kind": "Split",
    "active": False,
    **asdict(Split(split="groups", groups=(("client",), ("server",)))),
}
PLACES = {
    "server": {"address": "10.0.0.1", "netns": "/n"},
    "client": {"address": "10.0.0.2", "container": "a", "helper": "b"},
}
GIVEN: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = {
    "relay": (
        command(
            link(
                Drop(link=LINK, drop="request", operations=(5,), clients=(1,)),
                Duplicate(link=LINK, duplicate="request", probability=0.5),
                Delay(link=LINK, delay="reply", by=20, jitter=5, name="late", lasts=9),
            )
        ),
        lambda given: plans(given, lambda *_, **__: None),
    ),
    "toxiproxy": (
        command(
            link(Latency(link=LINK, latency=20, jitter=5), Slicer(link=LINK, slicer=9, gap=5, stream="upstream")),
            listen="127.0.0.1",
        ),
        planned,
    ),
    "packet": (
        command(
            link(
                Loss(link=LINK, loss="both", every=3),
                Blackhole(link=LINK, blackhole=2),
                Netem(link=LINK, netem=Shape(delay=40, jitter=5, distribution="normal", loss=0.1)),
                source="client",
                target="server",
            ),
            rules=[SPLIT],
            places=PLACES,
        ),
        lambda given: (configuration(given), places(given)),
    ),
}


def told(plane: str) -> str:
    given, check = GIVEN[plane]

    def said(altered: dict[str, Any]) -> str:
        try:
            check(msgpack.unpackb(msgpack.packb(altered)))
        except BadConfiguration as problem:
            return str(problem)
        return "accepted"

    given = msgpack.unpackb(msgpack.packb(given))
    return "\n".join(line for place in places_of(given) for line in lines(given, place, said))


def stored() -> dict[str, str]:
    parts = FILE.read_text().split(TITLE)[1:]
    return {name: text.strip("\n") for name, _, text in (part.partition("\n") for part in parts)}


if __name__ == "__main__":
    FILE.write_text("\n".join(f"{TITLE}{plane}\n{told(plane)}\n" for plane in GIVEN))
