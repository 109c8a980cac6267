"""The table of docs/ipc.md: `python tests/conformance/ipc_page.py` writes it anew."""

from __future__ import annotations

from multiplexers_page import PAGE as MULTIPLEXERS
from multiplexers_page import replaced

from nodes import ipc

PAGE = MULTIPLEXERS.with_name("ipc.md")
BEGIN, END = "<!-- mechanisms: written by make stored -->", "<!-- end of mechanisms -->"


def page(text: str) -> str:
    """The same with this table."""
    return replaced(text, BEGIN, END, "\n".join(ipc.markdown()))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
