"""PURE but for reading files: from a scenario file to cells."""
