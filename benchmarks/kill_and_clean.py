"""`kill -9` of the orchestrator at random moments of a run in containers, then `faultbed clean`: what is left?

    python benchmarks/kill_and_clean.py [--rounds 50] [--seed 1]

A round kills a run at a random moment after it has made a random number of things, runs `faultbed clean`, and asks the
engine by label. A run that ended before it was killed does not count. It exits with 1 if anything is ever left, or if
`clean` says that it could not do it all.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter

from rich.progress import Progress

from orchestrator.backends.docker.engine import answering
from orchestrator.backends.docker.leftovers import Thing, things

COMMAND = [sys.executable, "-I", "-c", "from orchestrator.cli import main; main()"]
RUN = ["run", "rpc/09-crash-after-commit", "--backend", "docker"]
ONLY = ["--only", "semantics=exactly-once,transport=tcp,codec=msgpack"]
MADE = 8
"""A network, and container and volume of three nodes, one of them twice."""
LATER = 1.5
POLL = 0.02


def start(folder: str) -> subprocess.Popen[bytes]:
    output = subprocess.DEVNULL
    return subprocess.Popen([*COMMAND, *RUN, *ONLY, "--out", folder], stdout=output, stderr=output)


def left_by(pid: int) -> list[Thing]:
    client = answering()
    try:
        return [thing for thing in things(client) if thing.owner.orchestrator.startswith(f"{pid}:")]
    finally:
        client.close()


def round_of(folder: str, things_first: int, seconds: float) -> tuple[int, list[Thing], int] | None:
    """-> (how much was there after the kill, what is left after clean, clean's exit code); None if it ended before."""
    process = start(folder)
    while process.poll() is None and len(left_by(process.pid)) < things_first:
        time.sleep(POLL)
    try:
        process.wait(seconds)
        return None
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    found = len(left_by(process.pid))
    code = subprocess.run([*COMMAND, "clean"], stdout=subprocess.DEVNULL, check=False).returncode
    return found, left_by(process.pid), code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    failures: list[str] = []
    sizes: Counter[int] = Counter()
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder, Progress(transient=True) as progress:
        task = progress.add_task("killing", total=arguments.rounds)
        while sizes.total() < arguments.rounds:
            things_first, seconds = chance.randint(0, MADE), chance.uniform(0, LATER)
            came = round_of(folder, things_first, seconds)
            if came is None:
                continue
            found, left, code = came
            sizes[found] += 1
            progress.advance(task)
            if left or code:
                failures.append(f"killed {seconds:.2f} s after {things_first}: clean {code}, left {[*map(str, left)]}")
    print("\n".join(failures), end="\n" if failures else "")
    told = ", ".join(f"{size}: {times}" for size, times in sorted(sizes.items()))
    print(f"nothing left in {arguments.rounds - len(failures)} of {arguments.rounds} rounds")
    print(f"containers, networks and volumes that the kill left, and how often: {told}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
