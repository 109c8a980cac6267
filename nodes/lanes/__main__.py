"""`python -I -m faultbed.part lanes NAME`: one wait in one lane, told as JSON on standard output.

{"marks": {"called", "returned", "ready", "notified", "consumed"}, "spans": [[kind, begin, end], ...] (all nanoseconds
of one clock), "tries", "units", "copied", "blocking", "cpu" (nanoseconds), "voluntary", "involuntary"}. Whoever started
it knows what it should be, and ends it if it takes too long. {"missing": REASON} where the lane cannot be had.
"""

from __future__ import annotations

import json
import sys

from nodes.lanes import lane
from nodes.lanes.common.bench import Bench, Overdue

FAILED = 1


def main() -> int:
    found = lane(sys.argv[1].replace("-", "_"))
    if reason := found.availability():
        print(json.dumps({"missing": reason}))
        return 0
    with Bench() as bench:
        try:
            found.run(bench)
        except (Overdue, OSError, ValueError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return FAILED
        seen = {"marks": bench.marks, "spans": bench.spans, "tries": bench.tries, "units": bench.units}
        used = {"cpu": bench.cpu, "voluntary": bench.voluntary, "involuntary": bench.involuntary}
        print(json.dumps({**seen, **used, "copied": bench.copied, "blocking": bench.blocking}))
    return 0
