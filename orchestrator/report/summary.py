"""PURE: summary.json of one scenario's run: what made it, its cells and its claims, for programs."""

from __future__ import annotations

from typing import Any

from orchestrator.report.origin import Origin
from orchestrator.report.result import CellResult
from orchestrator.report.told import Told


def summary(told: Told, backend: str, made_by: Origin) -> dict[str, Any]:
    """summary.json of one scenario's run."""
    return {
        "made_by": made_by._asdict(),
        "backend": backend,
        "cells": [_cell(result) for result in told.results],
        "claims": [{**claim._asdict(), "standing": str(claim.standing)} for claim in told.claims],
        "not_exercised": list(told.not_exercised),
        "untried": list(told.untried),
    }


def _cell(result: CellResult) -> dict[str, Any]:
    judgement = result.judgement
    cell: dict[str, Any] = {
        "cell": result.cell.cell,
        "axes": result.cell.axes,
        "repeat": result.repeat,
        "seed": result.seed,
        "exit_code": int(result.exit_code),
        "seconds": round(result.seconds, 3),
        "directory": result.directory.name if result.directory else None,
        "problem": result.problem,
        "clocks": [clock._asdict() for clock in result.clocks],
    }
    if judgement is not None:
        cell["bitten"] = judgement.bitten
        if judgement.replayed is not None:
            cell["replayed"] = judgement.replayed._asdict()
        cell["unchecked"] = list(judgement.unchecked)
        cell["caps"] = [cap._asdict() for cap in judgement.caps]
        cell["faults"] = [steps._asdict() for steps in judgement.faults]
        cell["outcomes"] = [outcome._asdict() for outcome in judgement.outcomes]
        cell["opportunities"] = judgement.opportunities
        cell["models"] = judgement.models
        cell["untried"] = [one._asdict() for one in judgement.untried]
        cell["properties"] = {found.name: str(found.verdict) for found in judgement.properties}
        cell["expectations"] = {found.name: str(found.verdict) for found in judgement.expectations}
    return cell
