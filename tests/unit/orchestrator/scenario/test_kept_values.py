"""What is put together of a scenario's values is kept with them, and is no part of them."""

from __future__ import annotations

import pickle

from history_builder import cell

from orchestrator.scenario.cell import Cell, Client, Server


def test_a_copy_that_is_changed_is_put_together_anew() -> None:
    first = cell()
    assert all((first.servers, first.clients, first.callers))
    renamed = {name: node for name, node in first.nodes.items() if isinstance(node, Server)}
    other = first.model_copy(update={"nodes": renamed})
    assert (list(other.servers), other.clients, other.callers) == (list(renamed), {}, {})


def test_whoever_was_asked_is_equal_to_whoever_was_not_and_written_alike() -> None:
    asked, fresh = cell(), cell()
    assert all((asked.servers, asked.clients, asked.callers, *(link.name for link in asked.links)))
    assert asked.expect.properties is asked.expect.properties
    assert asked == fresh
    assert repr(asked) == repr(fresh)
    assert asked.model_dump_json(by_alias=True) == fresh.model_dump_json(by_alias=True)
    assert Cell.model_validate_json(asked.model_dump_json(by_alias=True)) == fresh
    assert pickle.loads(pickle.dumps(asked)) == fresh
    assert asked.model_copy() == fresh
    assert all(isinstance(client, Client) for client in asked.model_copy().clients.values())
