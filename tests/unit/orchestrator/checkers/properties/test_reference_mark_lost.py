"""A run that surprised: old copies of a read meet in the next process, which knows the client's last mark no more."""

from __future__ import annotations

import suite

from orchestrator.checkers.verdict import Verdict
from orchestrator.scenario.plan import expand

TEXT = """
scenario: mark-lost
seed: 3
nodes:
  server: {service: register, yields: 100}
  client: {workload: write-read, calls: 6, after_heal: 1}
links:
- {from: client, to: server, semantics: exactly-once, transport: udp, codec: msgpack}
faults:
- {kill: server, at: before-commit, operation: 5}
- {duplicate: request, link: client -> server, every: 1, attempt: all, copy: next-epoch}
expect:
  delivery: {holds: exactly-once, under: [duplication, server-crash]}
"""


def test_a_copy_that_joined_one_which_executes_though_it_was_trimmed_before_the_crash_is_legal() -> None:
    (one,) = suite.run(expand(TEXT, "mark-lost.yaml").cells, "sim")
    judgement = one.result.judgement
    assert judgement is not None
    assert [each.name for each in judgement.properties if each.verdict is Verdict.VIOLATED] == []
