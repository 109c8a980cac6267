"""Cells of many scenarios: run, judged, kept."""
