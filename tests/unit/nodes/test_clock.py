"""The evidence clock and its domain."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nodes import clock


def test_time_does_not_go_back() -> None:
    times = [clock.now() for _ in range(100)]
    assert times == sorted(times)


def test_every_process_of_this_host_has_the_same_domain() -> None:
    program = "from nodes.clock import clock_domain; print(clock_domain())"
    child = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == clock.clock_domain()


def test_without_a_boot_id_the_domain_is_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "BOOT_ID", str(tmp_path / "absent"))
    assert clock.clock_domain().startswith("host:")


def test_a_kernel_without_time_namespaces_has_one_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("b007\n")
    monkeypatch.setattr(clock, "BOOT_ID", str(boot))
    monkeypatch.setattr(clock, "TIME_NAMESPACE", str(tmp_path / "absent"))
    assert clock.clock_domain() == "b007"
