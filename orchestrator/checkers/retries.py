"""PURE: when a client is to send again, by its plan."""

from __future__ import annotations

from nodes.rpc.retry import Retry, maybe
from orchestrator.scenario.cell import AnyLink, Client


def planned(client: Client, link: AnyLink) -> Retry:
    """Over this link: *maybe* does not."""
    if link.semantics == "maybe":
        return maybe(client.retry.patience)
    said = client.retry
    return Retry(said.attempts, said.first, said.maximum, said.jitter, said.connection == "same")
