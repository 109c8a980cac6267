"""From a scenario to a verdict: plan, run, history, checkers, report."""
