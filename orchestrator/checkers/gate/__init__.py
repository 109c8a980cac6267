"""PURE: parts of the evidence gate (orchestrator/checkers/evidence.py), a concept a file."""
