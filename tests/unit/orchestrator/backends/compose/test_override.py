"""What is laid over a user's compose file."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from orchestrator.backends.compose.override import PROXY, Behind, override
from orchestrator.backends.compose.tags import Override, Reset, text

LABELS = {"org.faultbed.run": "r"}
PROJECT: dict[str, Any] = {
    "name": "p",
    "services": {
        "orders": {
            "networks": {"default": None},
            "ports": [{"target": 8080}],
            "depends_on": {"redis": {}, "mail": {}, "web": {}},
        },
        "redis": {"networks": {"default": {"aliases": ["cache"]}}},
        "mail": {"networks": {"default": None}},
        "web": {"networks": {"default": None}, "links": ["redis:store", "mail:post"], "pull_policy": "always"},
        "far": {"networks": {"other": None}, "build": {"context": "."}},
        "probe": {"network_mode": "service:orders"},
    },
    "networks": {"default": {"name": "p_default"}, "other": {"name": "live", "ipam": {"config": [{"subnet": "x"}]}}},
    "volumes": {"data": None, "archive": {"name": "precious"}},
}
BEHIND = [Behind("orders", frozenset({"driver", "web"})), Behind("redis", frozenset({"orders"}))]


@pytest.fixture
def made() -> dict[str, Any]:
    return override(PROJECT, BEHIND, {"image": "proxy"}, LABELS, {"far": "built"})


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
    assert sorted(networks["default"]["aliases"]) == ["cache", "orders", "redis", "store"]
    assert networks["faultbed-orders"] == {"aliases": ["redis"]}
    assert networks["faultbed-redis"] == {"aliases": ["orders"]}


def test_nobody_meets_an_upstream_beside_its_proxy(made: dict[str, Any]) -> None:
    """The broken variant would leave the caller in both networks: one name, two answers."""
    for one in BEHIND:
        private = members(made, f"faultbed-{one.service}")
        assert not private & one.callers


def test_services_elsewhere_and_in_anothers_network_stay(made: dict[str, Any]) -> None:
    assert "networks" not in made["services"]["far"]
    assert "networks" not in made["services"]["probe"]


def test_everything_is_labelled_as_the_runs_own_and_as_nobody_elses(made: dict[str, Any]) -> None:
    services = {**made["services"]}
    proxy = services.pop(PROXY)
    assert (proxy["labels"], proxy["restart"]) == (LABELS, "no"), "one that is killed stays dead"
    assert all(service["labels"] == Override(LABELS) for service in services.values())
    assert set(made["networks"]) == {"default", "other", "faultbed-orders", "faultbed-redis"}
    assert set(made["volumes"]) == {"data", "archive"}
    assert all(thing["labels"] == LABELS for thing in (*made["networks"].values(), *made["volumes"].values()))


def test_what_two_runs_would_share_is_taken_away(made: dict[str, Any]) -> None:
    for name in PROJECT["services"]:
        service = made["services"][name]
        assert (service["ports"], service["container_name"], service["restart"]) == (Reset(), Reset(), "no")
        assert service["deploy"] == {"restart_policy": Reset()}, "what it says counts for more than restart"


def test_names_of_the_users_become_the_projects(made: dict[str, Any]) -> None:
    assert {key: one.get("name") for key, one in made["volumes"].items()} == {"data": "p_data", "archive": "p_archive"}
    assert made["networks"]["other"]["name"] == "p_other"
    assert made["networks"]["other"]["ipam"] == Reset()
    assert made["networks"]["other"]["enable_ipv6"] is False, "older engines have no range for it"
    assert all(service["logging"].value == {"driver": "json-file"} for service in of_the_user(made).values())
    assert all(service["cgroup_parent"] == Reset() for service in of_the_user(made).values())


def of_the_user(made: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in made["services"].items() if name != PROXY}


def test_what_is_built_is_taken_from_where_the_run_has_built_it_and_nothing_is_pulled_over(
    made: dict[str, Any],
) -> None:
    assert made["services"]["far"]["image"] == "built"
    assert made["services"]["far"]["build"] == Reset()
    assert made["services"]["web"]["pull_policy"] == "missing"
    assert "pull_policy" not in made["services"]["mail"]


def test_links_of_the_file_lead_to_the_proxy(made: dict[str, Any]) -> None:
    """A second name for an upstream would be found by nobody: it is the proxy's, and no container's of its own."""
    assert made["services"]["web"]["links"] == Override(["mail:post"])
    assert "store" in made["services"][PROXY]["networks"]["default"]["aliases"]


def test_it_is_written_with_composes_tags() -> None:
    written = text({"services": {"a": {"ports": Reset(), "networks": Override({"n": {}})}}})
    tags = {node.tag for node in walk(yaml.compose(written))}
    assert {"!reset", "!override"} <= tags


def walk(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [node, *(found for pair in node.value for one in pair for found in walk(one))]
    return [node]
