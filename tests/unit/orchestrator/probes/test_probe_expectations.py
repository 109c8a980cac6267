"""The file of expectations, and what is said of a bad one."""

from __future__ import annotations

import pytest

from orchestrator.probes.expectations import Expected, read
from orchestrator.scenario.document import BadScenario

GOOD = """\
undrained:
  - {engines: [poll, epoll], source: poll(2), expect: {came: IN, half read: IN}}
  - {engines: [iocp], source: no host, expect: unknown}
"""


def test_what_it_says() -> None:
    found = read(GOOD, "linux.yaml")
    assert found["undrained", "epoll"] == found["undrained", "poll"]
    assert found["undrained", "poll"] == Expected({"came": "IN", "half read": "IN"}, "poll(2)")
    assert found["undrained", "iocp"] == Expected(None, "no host")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[iocp]", "[poll]", "linux.yaml:3: undrained[1].engines: poll twice for undrained"),
        ("source: no host, ", "", "linux.yaml:3: undrained[1]: key 'source' is missing"),
        ("half read: IN", "half read: 3", "linux.yaml:2: undrained[0].expect: expected"),
        ("engines: [iocp]", "engine: iocp", "linux.yaml:3: undrained[1]"),
        ("undrained:", "undrained: 3\nslices:", "linux.yaml:1: undrained: expected a list of entries"),
        (GOOD, "[]", "linux.yaml:1: expected a mapping of probes"),
    ],
)
def test_a_bad_one_is_told_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(BadScenario) as caught:
        read(GOOD.replace(old, new), "linux.yaml")
    assert said in str(caught.value)
