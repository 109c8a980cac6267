"""What is laid over a user's compose file."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from orchestrator.system.override import PROXY, Behind, Override, Reset, override, text

LABELS = {"org.faultbed.run": "r"}
PROJECT: dict[str, Any] = {
    "services": {
        "orders": {
            "networks": {"default": None},
            "ports": [{"target": 8080}],
            "depends_on": {"redis": {}, "mail": {}, "web": {}},
        },
        "redis": {"networks": {"default": {"aliases": ["cache"]}}},
        "mail": {"networks": {"default": None}},
        "web": {"networks": {"default": None}},
        "far": {"networks": {"other": None}},
        "probe": {"network_mode": "host"},
    },
    "networks": {"default": {"name": "p_default"}, "other": {"external": True}},
    "volumes": {"data": None, "shared": {"external": True}},
}
BEHIND = [Behind("orders", frozenset({"driver", "web"})), Behind("redis", frozenset({"orders"}))]


@pytest.fixture
def made() -> dict[str, Any]:
    return override(PROJECT, BEHIND, {"image": "proxy"}, LABELS)


def members(made: dict[str, Any], network: str) -> set[str]:
    """Who is in a network in the end."""
    found = set()
    for name, service in made["services"].items():
        before = (PROJECT["services"].get(name) or {}).get("networks") or {}
        laid = service.get("networks", {})
        networks = laid.value if isinstance(laid, Override) else {**before, **laid}
        if network in networks:
            found.add(name)
    return found


def test_an_upstream_is_alone_with_the_proxy_and_what_it_depends_on(made: dict[str, Any]) -> None:
    assert members(made, "faultbed-orders") == {"orders", PROXY, "mail"}
    assert members(made, "faultbed-redis") == {"redis", PROXY}
    assert members(made, "default") == {PROXY, "mail", "web"}


def test_the_proxy_has_the_upstreams_names_where_they_were(made: dict[str, Any]) -> None:
    networks = made["services"][PROXY]["networks"]
    assert sorted(networks["default"]["aliases"]) == ["cache", "orders", "redis"]
    assert networks["faultbed-orders"] == {"aliases": ["redis"]}
    assert networks["faultbed-redis"] == {"aliases": ["orders"]}


def test_nobody_meets_an_upstream_beside_its_proxy(made: dict[str, Any]) -> None:
    """The broken variant would leave the caller in both networks: one name, two answers."""
    for one in BEHIND:
        private = members(made, f"faultbed-{one.service}")
        assert not private & one.callers


def test_services_elsewhere_and_on_the_hosts_network_stay(made: dict[str, Any]) -> None:
    assert "networks" not in made["services"]["far"]
    assert "networks" not in made["services"]["probe"]


def test_everything_of_its_own_is_labelled_and_external_things_are_not_touched(made: dict[str, Any]) -> None:
    assert all(service["labels"] == LABELS for service in made["services"].values())
    assert set(made["networks"]) == {"default", "faultbed-orders", "faultbed-redis"}
    assert set(made["volumes"]) == {"data"}
    assert all(thing["labels"] == LABELS for thing in (*made["networks"].values(), *made["volumes"].values()))


def test_what_two_runs_would_share_is_taken_away(made: dict[str, Any]) -> None:
    for name in PROJECT["services"]:
        service = made["services"][name]
        assert (service["ports"], service["container_name"], service["restart"]) == (Reset(), Reset(), "no")


def test_it_is_written_with_composes_tags() -> None:
    written = text({"services": {"a": {"ports": Reset(), "networks": Override({"n": {}})}}})
    tags = {node.tag for node in walk(yaml.compose(written))}
    assert {"!reset", "!override"} <= tags


def walk(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [node, *(found for pair in node.value for one in pair for found in walk(one))]
    return [node]
