"""PURE: a run's program, and the seam that it owns."""
