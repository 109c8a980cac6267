"""Oracles: where the effects of a system that is not ours are read from, after draining and over no faulted path.

Each is a function from its part of the scenario and the project's addresses to effects. What an oracle says is taken
for the truth: it must not be what the system itself believes that it did.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.oracles.effects import Effect
from orchestrator.oracles.http import read_http
from orchestrator.oracles.places import Places
from orchestrator.oracles.program import read_program
from orchestrator.oracles.redis import read_redis
from orchestrator.oracles.sql import read_sql
from orchestrator.run.session import SessionError
from orchestrator.scenario.system import HttpOracle, Oracle, ProgramOracle, RedisOracle, SqlOracle


def read(oracle: Oracle, places: Places) -> tuple[Effect, ...]:
    """What the oracle reports, by intent. Raises SessionError: it cannot be asked, or says what is no effect."""
    try:
        return tuple(sorted(_ask(oracle, places)))
    except (OSError, ValueError, RecursionError) as error:  # the last one is JSON's, nested too deep
        raise SessionError(f"the oracle ({type(oracle).__name__}) gave no effects: {error}") from error


def _ask(oracle: Oracle, places: Places) -> Sequence[Effect]:
    match oracle:
        case RedisOracle():
            return read_redis(oracle, places)
        case SqlOracle():
            return read_sql(oracle, places)
        case HttpOracle():
            return read_http(oracle, places)
        case ProgramOracle():
            return read_program(oracle, places)
