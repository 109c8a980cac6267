"""docs/ipc.md has what each mechanism declares."""

from __future__ import annotations

import ipc_page


def test_the_page_has_the_table_as_it_is() -> None:
    text = ipc_page.PAGE.read_text("utf-8")
    assert ipc_page.page(text) == text, "stale: make stored"
