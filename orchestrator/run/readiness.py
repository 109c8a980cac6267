"""PURE: when a service is ready, going by what the engine says of its container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

State = Literal["running", "healthy", "completed"]
"""What is waited for. A service without a health check is *healthy* as soon as it runs."""


class Need(NamedTuple):
    """`stays`: a link names it, so that it may not end by itself; any other may be a job that ends with 0."""

    state: State
    stays: bool = False


class Ended(Exception):
    """It will never be ready; the text says how it stands."""


def ready(state: Mapping[str, Any], need: Need) -> bool:
    """Whether a container stands as is needed, by its State (docker inspect). Raises Ended."""
    status = state["Status"]
    if status in ("exited", "dead"):
        return _ended_well(state, need)
    if status != "running" or need.state == "completed":
        return False
    health = (state.get("Health") or {}).get("Status", "none")
    if need.state == "running" or health in ("none", "", "healthy"):
        return True
    if health == "unhealthy":
        raise Ended(f"is unhealthy{_probe(state)}")
    return False


def _ended_well(state: Mapping[str, Any], need: Need) -> bool:
    code = state["ExitCode"]
    if code == 0 and not need.stays:
        return True
    why = ": the kernel killed it for want of memory" if state.get("OOMKilled") else ""
    expected = "; a service that a link names has to go on" if code == 0 else ""
    raise Ended(f"ended with exit code {code}{why or (': ' + state['Error'] if state.get('Error') else '')}{expected}")


def standing(state: Mapping[str, Any]) -> str:
    """How one that is not ready stands, for the error when time is up."""
    health = (state.get("Health") or {}).get("Status", "none")
    return f"{state['Status']}, health {health}{_probe(state)}" if health not in ("none", "") else str(state["Status"])


def _probe(state: Mapping[str, Any]) -> str:
    """What its last health check said."""
    log = (state.get("Health") or {}).get("Log") or []
    said = str(log[-1].get("Output", "")).strip() if log else ""
    return f"; its health check says: {said[-300:]}" if said else ""
