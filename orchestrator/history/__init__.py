"""PURE: a run's merged history, and its file."""
