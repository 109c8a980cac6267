"""What every process of a run is told on its command line."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

_formatter = partial(argparse.HelpFormatter, width=78)
"""One that knows its width, that of no terminal: else argparse imports shutil, to look for one with every argument."""


def parser(module: str, description: str, home: str) -> argparse.ArgumentParser:
    """Takes `--name`, `--home` and `--control`; `home` says what is in that folder."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description, formatter_class=_formatter)
    made.add_argument("--name", required=True)
    made.add_argument("--home", type=Path, required=True, help=f"folder of its {home}")
    made.add_argument("--control", default="127.0.0.1", metavar="HOST", help="where its control endpoint listens")
    return made
