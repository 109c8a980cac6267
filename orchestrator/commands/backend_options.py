"""`--backend`, and the options that backends have: each says its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from orchestrator.backends import choices
from orchestrator.backends.backend import Backend, Option, Options

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
VARIABLE = "FAULTBED_BACKEND"


def backend_options(command: Decorated) -> Decorated:
    """A click command that is called with `backend`, the name, and by name with each option that one of them has."""
    options = {option.name: option for backend in choices() for option in backend.options}
    for option in reversed(options.values()):
        command = _click(option)(command)
    return _choice()(command)


def options_of(backend: Backend, given: Mapping[str, Any]) -> Options:
    """What the backend has of the options that were given. Raises UsageError: it needs one that was not; or as
    Option.read does."""
    for option in backend.options:
        if option.missing is not None and given[option.name] is None:
            raise click.UsageError(option.missing)
    return {option.name: _read(option, given[option.name]) for option in backend.options}


def _read(option: Option, value: Any) -> Any:
    return value if value is None or option.read is None else option.read(value)


def _choice() -> Callable[[Decorated], Decorated]:
    *most, last = [str(backend.about) for backend in choices()]
    about = f"{', '.join(most)}, or {last}."
    names = click.Choice([backend.name for backend in choices()])
    help = _with_variable(about[0].upper() + about[1:], VARIABLE)
    return click.option(
        "--backend", type=names, default=names.choices[0], show_default=True, envvar=VARIABLE, help=help
    )


def _click(option: Option) -> Callable[[Decorated], Decorated]:
    return click.option(
        f"--{option.name.replace('_', '-')}",
        metavar=option.metavar,
        type=click.Path(dir_okay=False, path_type=Path) if option.file else None,
        envvar=option.variable,
        help=_with_variable(option.help, option.variable),
    )


def _with_variable(help: str, variable: str | None) -> str:
    return help if variable is None else f"{help}  [env: {variable}]"
