"""Helper containers are labelled as the node's container is, so that `faultbed clean` finds them."""

from __future__ import annotations

from chaos.planes.packet.container import owner
from orchestrator.backends.docker.labels import Owner


def test_a_helper_belongs_to_whom_the_node_belongs() -> None:
    labels = Owner("a1b2", "12:345.6", "here").labels()
    assert owner({**labels, "org.faultbed.version": "1", "theirs": "x"}) == labels


def test_a_container_of_no_run_has_no_owner() -> None:
    assert owner({"theirs": "x"}) == {}
