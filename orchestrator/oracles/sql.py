"""SQL: rows of (intent, number of effects) or (intent, number, value).

sqlite:PATH is a file, taken from the scenario's folder, and needs nothing. In postgresql:// and mysql:// the host may
be a service's name; the modules that speak to them (PEP 249), psycopg and pymysql, are not ours to install.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from orchestrator.oracles.effects import Effect, effect
from orchestrator.oracles.places import Places
from orchestrator.scenario.system import SqlOracle

WIDEST = 3
MODULES = {"postgresql": "psycopg", "mysql": "pymysql"}
"""By the DSN's scheme; what is not named here needs none."""


def read_sql(oracle: SqlOracle, places: Places) -> list[Effect]:
    """Raises OSError, ValueError."""
    scheme = oracle.dsn.partition(":")[0]
    with closing(CONNECT[scheme](oracle.dsn, places)) as connection:
        try:
            cursor = connection.cursor()
            cursor.execute(oracle.sql)
            rows = cursor.fetchall()
        except Exception as error:  # every database has exceptions of its own, of which Exception is the common base
            raise ValueError(f"{oracle.sql!r}: {type(error).__name__}: {error}") from error
    return [_effect(row) for row in rows]


def _effect(row: Any) -> Effect:
    if not 1 <= len(row) <= WIDEST:
        raise ValueError(f"a row of {len(row)} columns; expected intent, number of effects, and perhaps their value")
    return effect(*row)


def _sqlite(dsn: str, places: Places) -> Any:
    path = places.folder / dsn.partition(":")[2].removeprefix("//")
    try:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise OSError(f"{path}: {error}") from error


def _postgresql(dsn: str, places: Places) -> Any:
    url = urlsplit(dsn)
    told = url._replace(netloc=url.netloc.replace(url.hostname or "", _host(url, places)))
    return _connected(MODULES["postgresql"], lambda module: module.connect(told.geturl()))


def _mysql(dsn: str, places: Places) -> Any:
    url = urlsplit(dsn)
    arguments = {
        "host": _host(url, places),
        "port": url.port or 3306,
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "database": url.path.lstrip("/"),
    }
    return _connected(MODULES["mysql"], lambda module: module.connect(**arguments))


def _host(url: SplitResult, places: Places) -> str:
    """A host that is no service is one outside of the project."""
    host = url.hostname or ""
    return places.services.get(host, host)


def _connected(module: str, connect: Callable[[Any], Any]) -> Any:
    try:
        found = import_module(module)
    except ImportError:
        raise ValueError(f"this DSN needs the Python module {module}: `pip install {module}`") from None
    try:
        return connect(found)
    except Exception as error:  # see read_sql
        raise OSError(f"{module}: {type(error).__name__}: {error}") from error


CONNECT: dict[str, Callable[[str, Places], Any]] = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}
