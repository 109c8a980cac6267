"""HTTP: a GET of the service's own container, answered with a JSON list of effects."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException

from orchestrator.oracles.effects import Effect, effect_of
from orchestrator.oracles.places import Places
from orchestrator.scenario.system import HttpOracle

PATIENCE = 10.0
MOST_BYTES = 64 << 20
"""Of an answer: a million effects."""
OK = 200


def read_http(oracle: HttpOracle, places: Places) -> list[Effect]:
    """Raises OSError, ValueError."""
    endpoint, _, path = oracle.http.partition("/")
    connection = HTTPConnection(*places.address(endpoint), timeout=PATIENCE)
    try:
        connection.request("GET", f"/{path}", headers={"Host": endpoint})
        response = connection.getresponse()
        body = response.read(MOST_BYTES + 1)
    except HTTPException as error:
        raise OSError(f"GET {oracle.http}: no answer of HTTP: {error!r}") from error
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise ValueError(f"GET {oracle.http}: more than {MOST_BYTES} bytes")
    if response.status != OK:
        raise ValueError(f"GET {oracle.http}: status {response.status}, expected {OK}: {body[:200]!r}")
    found = json.loads(body)
    if not isinstance(found, list):
        raise ValueError(f"GET {oracle.http}: expected a JSON list of effects, got {body[:100]!r}")
    return [effect_of(item) for item in found]
