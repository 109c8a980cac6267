"""compose.yaml and its inventory fit one another and this version, whether or not an engine is there to run them."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from orchestrator.backends.attach.inventory import parse_endpoint

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
INVENTORY: dict[str, Any] = yaml.safe_load((ROOT / "compose/inventory.yaml").read_text())


def test_the_services_have_this_version() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if name != "toxiproxy"}
    assert set(images.values()) == {f"${{FAULTBED_IMAGE:-faultbed:{version('faultbed')}}}"}


def test_every_service_is_bounded_and_has_no_privilege() -> None:
    for name, service in SERVICES.items():
        assert service["pids_limit"] > 0, name
        assert service["mem_limit"] == service["memswap_limit"], name
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True), name


def test_every_agent_is_a_service_that_the_orchestrator_waits_for() -> None:
    hosts = {parse_endpoint(entry["address"])[0] for entry in INVENTORY["agents"].values()}
    assert hosts == SERVICES.keys() - {"orchestrator", "toxiproxy"}
    assert hosts | {"toxiproxy"} == SERVICES["orchestrator"]["depends_on"].keys()
    assert INVENTORY["toxiproxy"]["host"] == "toxiproxy"


def test_the_token_is_in_a_volume_that_those_alone_have_who_need_it() -> None:
    having = {name for name, service in SERVICES.items() if any("token:" in one for one in service.get("volumes", ()))}
    assert having == SERVICES.keys() - {"toxiproxy"}
    assert INVENTORY["token_file"] == "/run/faultbed/token"
