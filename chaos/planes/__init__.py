"""The means of injecting faults, one per file; each says which faults it supports."""
