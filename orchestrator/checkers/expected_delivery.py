"""PURE: a cell's `delivery` expectation: a level under failure models (docs/semantics.md, "What a cell has to show").

Rules of this file:

1. A level holds if none of its properties is violated, untried ones included.
2. It is met only if each of the models bit, and each property but *valid* was exercised under each of them.
3. What the scenario names as untried needs no opportunity, and is claimed nowhere.
"""

from __future__ import annotations

from chaos.faults.models import Model
from orchestrator.checkers.claim import Claim, holds, violated
from orchestrator.checkers.delivery import NEEDED, exercised
from orchestrator.checkers.finding import Findings
from orchestrator.checkers.verdict import ExpectationVerdict, Met, Untried
from orchestrator.checkers.views import View, Views
from orchestrator.scenario.cell import LEVELS, Delivery


def judge(setting: Views, findings: Findings, delivery: Delivery, doubt: str) -> ExpectationVerdict:
    level = delivery.holds or delivery.violated
    assert level is not None
    claim = Claim("delivery", level, [findings[name] for name in LEVELS[level]], delivery.witness)
    doubt = doubt or _unbitten(setting, delivery)
    if delivery.violated:
        return violated(setting, claim, doubt)
    said = ExpectationVerdict(claim.key, Met.INCONCLUSIVE, _lacking(setting, findings, delivery))
    verdict = holds(claim, doubt)
    return said if verdict.verdict is Met.MET and said.reason else verdict


def untried(setting: Views) -> tuple[Untried, ...]:
    """What the scenario names as untried, of the properties of its level, under each model; and whether it was."""
    delivery = setting.cell.expect.delivery
    if delivery is None or delivery.holds is None or View.JOURNALS not in setting.shown:
        return ()
    named = [name for name in LEVELS[delivery.holds] if name in delivery.untried]
    return tuple(Untried(name, model, exercised(setting, name, model)) for name in named for model in delivery.under)


def _unbitten(setting: Views, delivery: Delivery) -> str:
    missing = [model for model in delivery.under if model not in setting.bite.models]
    if not missing:
        return ""
    were = f"bites were of {_and(list(setting.bite.models))}" if setting.bite.models else "no bite was of any model"
    return f"no fault bit as {_and(missing)}: {were}; expected `under` to name what bites"


def _lacking(setting: Views, findings: Findings, delivery: Delivery) -> str:
    """Which properties were exercised under which model by nothing, and what to write; "" if all were."""
    assert delivery.holds is not None
    tried = [name for name in LEVELS[delivery.holds] if name != "valid" and name not in delivery.untried]
    if View.JOURNALS not in setting.shown:
        idle = [name for name in tried if not findings[name].exercised]
        lacking = [f"{name}: no operation gave an opportunity" for name in idle]
    else:
        pairs = [(name, m) for name in tried for m in delivery.under if not exercised(setting, name, m)]
        idle = list(dict.fromkeys(name for name, _ in pairs))
        lacking = [_opportunity(name, model) for name, model in pairs]
    if not lacking:
        return ""
    all_untried = sorted({*idle, *delivery.untried})
    return f"not exercised: {'; '.join(lacking)}; expected such an operation, or untried: [{', '.join(all_untried)}]"


def _opportunity(name: str, model: Model) -> str:
    return f"{name} under {model}, since no operation offered {' or '.join(NEEDED[name, model])}"


def _and(models: list[Model]) -> str:
    return " and ".join(sorted(models))
