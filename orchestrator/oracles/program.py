"""A program of the user's, run in the scenario's folder, that prints effects: one JSON object a line.

It finds the services' addresses as a JSON object in the environment, FAULTBED_SERVICES={"redis": "172.18.0.2"}.
"""

from __future__ import annotations

import json
import os
import subprocess

from orchestrator.oracles.effects import Effect, effect_of
from orchestrator.oracles.places import Places
from orchestrator.scenario.system import ProgramOracle

SERVICES = "FAULTBED_SERVICES"
PATIENCE = 60.0


def read_program(oracle: ProgramOracle, places: Places) -> list[Effect]:
    """Raises OSError, ValueError."""
    argv = [oracle.program] if isinstance(oracle.program, str) else list(oracle.program)
    name = " ".join(argv)
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=places.folder,
            env={**os.environ, SERVICES: json.dumps(dict(places.services))},
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"{name} hangs: it has not ended within {PATIENCE:.0f} s") from None
    if done.returncode != 0:
        raise ValueError(f"{name} failed with status {done.returncode}: {done.stderr.strip()[-500:]}")
    return [effect_of(json.loads(line)) for line in done.stdout.splitlines() if line.strip()]
