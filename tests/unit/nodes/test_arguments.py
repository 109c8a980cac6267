"""The command line of a process of a run: each value, or one message and exit code 2."""

from __future__ import annotations

import pytest

from nodes.arguments import Arguments


def taken(*words: str) -> tuple[str, int, str]:
    given = Arguments("it", words)
    values = given.text("name"), given.number("epoch"), given.one_of(("epoll", "threads"), "engine", "epoll")
    given.end()
    return values


def test_values_in_any_order_and_defaults() -> None:
    assert taken("--epoch", "2", "--name", "server") == ("server", 2, "epoll")
    assert taken("--name", "--epoch", "--engine", "threads", "--epoch", "3") == ("--epoch", 3, "threads")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--epoch 2", "the argument --name is required"),
        ("--epoch 2 --name", "argument --name: expected one argument"),
        ("--name a --epoch 2x", "argument --epoch: invalid int value: '2x'"),
        (
            "--name a --epoch 2 --engine poll",
            "argument --engine: invalid choice: 'poll' (choose from 'epoll', 'threads')",
        ),
        ("--name a --epoch 2 --help", "unrecognized arguments: --help"),
        ("--name a --epoch 2 --speed 7", "unrecognized arguments: --speed 7"),
    ],
)
def test_what_does_not_fit_is_told(words: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        taken(*words.split())
    assert caught.value.code == 2
    assert capfd.readouterr().err == f"it: error: {said}\n"
