"""PURE: what the gate calls things."""

from __future__ import annotations

from orchestrator.checkers import names
from orchestrator.history.merged import Event, Life, Operation


def operation_name(operation: Operation) -> str:
    """Operation 0 is its client's hello."""
    client, seq = operation
    return names.operation_name(operation) if seq else f"hello of client {client}"


def life_name(life: Life) -> str:
    return f"{life[0]}, epoch {life[1]}"


def attempt_name(event: Event) -> str:
    return f"{operation_name(event.operation)}, attempt {event.attempt}"
