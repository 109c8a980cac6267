"""`python -I -m faultbed.part probes --engine NAME --probes A,B,C`: probes one after another, told as they go; or
`... probes facts`: what can be done here (nodes/probes/common/facts.py).

Each line on standard output is a JSON object: {"begin": PROBE}, {"note": TEXT, "ms": TIME}, and {"end": PROBE} with
`observed`, or with `failed`, why there is no observation. Whoever reads them ends this process when a probe takes too
long. It ends when nobody reads any more, and on Linux with its parent.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

from nodes import probes
from nodes.arguments import Arguments
from nodes.probes.common import isolation, trace
from nodes.probes.common.bench import Bench
from nodes.probes.common.facts import facts
from nodes.probes.common.kinds import kind
from nodes.probes.common.probe import Kind, Probe
from nodes.probes.common.subject import Subject, subject
from nodes.probes.common.trace import Tell, Trace


class Options(NamedTuple):
    """`broken`: the name of a poller that is wrong on purpose, instead of the engine's own."""

    engine: str
    probes: tuple[str, ...]
    broken: str


def options_of(argv: Sequence[str]) -> Options:
    given = Arguments("python -m nodes.probes", argv)
    options = Options(given.text("engine"), tuple(given.text("probes").split(",")), given.text("broken", ""))
    given.end()
    return options


def perform(name: str, make: Callable[[Trace], Any], steps: Any, tell: Tell) -> None:
    """One probe, whatever it comes to; it leaves nothing open."""
    tell({"begin": name})
    try:
        with closing(make(Trace(tell))) as bench:
            steps(bench)
    except Exception as error:
        tell({"end": name, "failed": f"{type(error).__name__}: {error}"})
    else:
        tell({"end": name, "observed": bench.seen})


def on(options: Options, probe: Probe) -> tuple[Callable[[Trace], Any], Any]:
    """-> what makes the bench that its steps are for, and the steps."""
    match kind(options.engine):
        case Kind.COMPLETION:
            from nodes.probes.common.ring_bench import RingBench  # each with what not every process needs

            return RingBench, probe.completion
        case Kind.BLOCKING:
            from nodes.probes.common.blocking_bench import BlockingBench

            return BlockingBench, probe.blocking
    return partial(Bench, _subject(options)), probe.readiness


def _subject(options: Options) -> Subject:
    if not options.broken:
        return subject(options.engine)
    from nodes.probes.common.broken import BROKEN  # only where it is asked for

    return BROKEN[options.broken].subject()


def main() -> int:
    if sys.argv[1:] == ["facts"]:
        print(json.dumps(facts()))
        return 0
    options = options_of(sys.argv[1:])
    tell = trace.to(1)
    isolation.settle()
    for name in options.probes:
        perform(name, *on(options, probes.probe(name)), tell)
    return 0


if __name__ == "__main__":
    sys.exit(main())
