"""Faults as values, the decisions that apply them, and the planes that carry them out."""
