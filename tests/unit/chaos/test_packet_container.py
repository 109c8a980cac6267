"""Helper containers carry the labels of their run, by which `faultbed clean` finds them."""

from __future__ import annotations

import pytest

from chaos.planes.packet.container import labels


def test_a_helper_is_labelled_with_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTBED_RUN", "a1b2")
    monkeypatch.setenv("FAULTBED_ORCHESTRATOR", "12:345.6")
    assert labels() == {"org.faultbed.run": "a1b2", "org.faultbed.orchestrator": "12:345.6"}


def test_outside_of_a_run_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTBED_RUN", raising=False)
    monkeypatch.delenv("FAULTBED_ORCHESTRATOR", raising=False)
    assert labels() == {}
