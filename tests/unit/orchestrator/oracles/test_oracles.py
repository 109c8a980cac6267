"""Oracles: what each reads, and that what is no effect is never taken for none."""

from __future__ import annotations

import io
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.wire.header import client_number, intent_number, operation_of
from orchestrator.oracles.effects import Effect, effect, ledger
from orchestrator.oracles.places import Places
from orchestrator.oracles.reading import read
from orchestrator.oracles.redis import encoded, value
from orchestrator.run.session import SessionError
from orchestrator.scenario.system import HttpOracle, ProgramOracle, RedisOracle, SqlOracle

FIRST, SECOND = intent_number(1, 1, 1), intent_number(1, 2, 3)
HERE = "127.0.0.1"


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 999_999))
def test_an_intent_names_its_operation(node: int, process: int, call: int) -> None:
    assert operation_of(intent_number(node, process, call)) == (client_number(node, process, 1), call)


@pytest.mark.parametrize("intent", [0, 7, -1, 1_000_000, 100_000_000, "key", None, 10**15])
def test_what_is_no_intent_is_refused(intent: object) -> None:
    with pytest.raises(ValueError, match="expected an intent"):
        effect(intent)


def test_fewer_effects_than_none_are_refused() -> None:
    assert effect(FIRST, 0) == Effect(FIRST, 0)
    with pytest.raises(ValueError, match="has -1 effects; expected 0 or more"):
        effect(FIRST, -1)


def test_effects_become_rows_of_a_ledger_without_a_gap() -> None:
    found = ledger([Effect(FIRST, 2), Effect(SECOND, 0), Effect(SECOND, 1, "x")])
    assert (found.archived, found.state, found.history) == (False, {}, 0)
    assert found.effects == [
        (1, 10101, 1, FIRST, 1, 0, ""),
        (2, 10101, 1, FIRST, 1, 0, ""),
        (3, 10201, 3, SECOND, 1, 0, "x"),
    ]


# SQL


def database(path: Path, rows: list[tuple[object, ...]]) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table orders (key, n, value)")
    connection.executemany("insert into orders values (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def test_sql_reads_rows(tmp_path: Path) -> None:
    database(tmp_path / "orders.db", [(str(FIRST), 1, None), (SECOND, 2, "v")])
    oracle = SqlOracle(sql="select * from orders", dsn="sqlite:orders.db")
    assert read(oracle, Places({}, tmp_path)) == (Effect(FIRST, 1), Effect(SECOND, 2, "v"))


@pytest.mark.parametrize(
    ("sql", "dsn", "message"),
    [
        ("select key from nowhere", "sqlite:orders.db", "no such table"),
        ("select 1, 2, 3, 4", "sqlite:orders.db", "4 columns"),
        ("select 'key', 1", "sqlite:orders.db", "expected an intent"),
        ("select 1", "sqlite:absent.db", "absent.db"),
        ("select 1", "postgresql://u@db/orders", "pip install psycopg"),
        ("select 1", "mysql://u@db/orders", "pip install pymysql"),
    ],
)
def test_sql_that_gives_no_effects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str, dsn: str, message: str
) -> None:
    for module in ("psycopg", "pymysql"):
        monkeypatch.setitem(sys.modules, module, None)  # as where it is not installed
    database(tmp_path / "orders.db", [])
    with pytest.raises(SessionError, match=message):
        read(SqlOracle(sql=sql, dsn=dsn), Places({}, tmp_path))


# Redis


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server of one connection, which answers what it is asked once."""
    asked: list[bytes] = []
    with socket.create_server((HERE, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], asked
        thread.join()


def bulk(*words: object) -> bytes:
    return encoded([str(word) for word in words])


def redis(answer: bytes, command: str = "HGETALL booked") -> tuple[Effect, ...]:
    with answering(answer) as (port, asked):
        try:
            return read(RedisOracle(redis=command, at=f"redis:{port}"), Places({"redis": HERE}, Path()))
        finally:
            assert asked == [encoded(command.split())]


def test_redis_pairs_are_counts() -> None:
    assert redis(bulk(SECOND, 2, FIRST, 1)) == (Effect(FIRST, 1), Effect(SECOND, 2))


def test_redis_items_are_one_effect_each() -> None:
    assert redis(bulk(FIRST, FIRST), "LRANGE log 0 -1") == (Effect(FIRST, 1), Effect(FIRST, 1))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"-WRONGTYPE no\r\n", "WRONGTYPE"),
        (b"+OK\r\n", "expected a list"),
        (b"*1\r\n", "ended"),
        (b"?\r\n", "no answer"),
    ],
)
def test_redis_that_gives_no_effects(answer: bytes, message: str) -> None:
    with pytest.raises(SessionError, match=message):
        redis(answer)


def test_an_unknown_service_and_a_closed_port_are_told() -> None:
    with pytest.raises(SessionError, match=r"no service 'redis'.*cache"):
        read(RedisOracle(redis="HGETALL a", at="redis:6379"), Places({"cache": HERE}, Path()))
    with socket.create_server((HERE, 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SessionError, match="gave no effects"):
        read(RedisOracle(redis="HGETALL a", at=f"redis:{port}"), Places({"redis": HERE}, Path()))


def test_nested_replies() -> None:
    assert value(io.BytesIO(b"*3\r\n:1\r\n*-1\r\n$-1\r\n")) == [1, None, None]


# HTTP


def http(status: int, body: bytes) -> tuple[Effect, ...]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer((HERE, 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        try:
            return read(HttpOracle(http=f"orders:{server.server_port}/effects"), Places({"orders": HERE}, Path()))
        finally:
            thread.join()


def test_http_reads_a_list() -> None:
    body = b'[{"intent": %d, "n": 2, "value": 7}, {"intent": %d}]' % (SECOND, FIRST)
    assert http(200, body) == (Effect(FIRST, 1), Effect(SECOND, 2, "7"))


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"[]", "status 500"),
        (200, b"{}", "JSON list"),
        (200, b"no", "Expecting value"),
        (200, b"[1]", "no effect"),
        pytest.param(200, b"[" * 200_000, "recursion", id="deep"),
        pytest.param(200, b" " * ((64 << 20) + 1), "more than 67108864 bytes", id="long"),
    ],
)
def test_http_that_gives_no_effects(status: int, body: bytes, message: str) -> None:
    with pytest.raises(SessionError, match=message):
        http(status, body)


# A program


def program(tmp_path: Path, code: str) -> tuple[Effect, ...]:
    return read(ProgramOracle(program=(sys.executable, "-c", code)), Places({"redis": HERE}, tmp_path))


def test_program_prints_lines_and_knows_the_services(tmp_path: Path) -> None:
    code = (
        f"import os; print('{{\"intent\": {FIRST}}}', end='\\n\\n'); assert 'redis' in os.environ['FAULTBED_SERVICES']"
    )
    assert program(tmp_path, code) == (Effect(FIRST, 1),)


CASES: list[tuple[str, str]] = [
    ("import sys; sys.exit('no database')", "status 1: no database"),
    ("print('nothing')", "Expecting value"),
    ("print('[]')", "no effect"),
]


@pytest.mark.parametrize(("code", "message"), CASES)
def test_program_that_gives_no_effects(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(SessionError, match=message):
        program(tmp_path, code)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    ask: Callable[[], object] = lambda: read(ProgramOracle(program="./absent"), Places({}, tmp_path))  # noqa: E731
    with pytest.raises(SessionError, match="absent"):
        ask()
