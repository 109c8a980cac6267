"""PURE: what people are told of an operation."""

from __future__ import annotations

from orchestrator.history.merged import Operation


def operation_name(operation: Operation) -> str:
    client, seq = operation
    return f"operation {seq} of client {client}"
