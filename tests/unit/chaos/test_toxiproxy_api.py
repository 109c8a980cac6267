"""toxiproxy-python as it is wrapped: several servers, checked statuses, timeouts, errors that say what to do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chaos.planes.toxiproxy import api
from chaos.planes.toxiproxy.api import Server, ToxiproxyError
from chaos.planes.toxiproxy.child import OwnServer, availability
from chaos.planes.toxiproxy.toxics import Spec

LATENCY = Spec("latency", "upstream", 1.0, {"latency": 5, "jitter": 0})


class Handler(BaseHTTPRequestHandler):
    """Answers as its server is told, and remembers what it was asked."""

    server: Fake

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        self.server.asked.append((self.command, self.path, body))
        status, answer = self.server.answers.get((self.command, self.path), (200, {}))
        data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """The tests' output is not its log."""


class Fake(ThreadingHTTPServer):
    """A server that speaks as much of Toxiproxy's API as a test tells it."""

    def __init__(self, version: Any = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[tuple[str, str, Any]] = []
        proxy = {"name": "p", "listen": f"127.0.0.1:{self.server_port}", "upstream": "127.0.0.1:9", "enabled": True}
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {
            ("GET", "/version"): (200, version or {"version": "2.12.0"}),
            ("POST", "/proxies"): (201, {**proxy, "toxics": []}),
        }

    def __enter__(self) -> Fake:
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake


@pytest.mark.parametrize("version", [{"version": "2.12.0"}, {"version": "v2.5.0"}, "2.1.4"])
def test_every_2_is_supported(version: Any) -> None:
    with Fake(version) as fake:
        assert Server(fake.url).version.lstrip("v").startswith("2.")


@pytest.mark.parametrize("version", [{"version": "3.0.0"}, {"version": "git"}, "1.2.1", "<html>", {"other": 1}, "[]"])
def test_any_other_version_is_refused(version: Any) -> None:
    with Fake(version) as fake, pytest.raises(ToxiproxyError, match=r"says it is version .*; start a Toxiproxy 2\.x"):
        Server(fake.url)


def test_calls_go_to_their_own_server_also_from_several_threads() -> None:
    with ExitStack() as stack:
        fakes = [stack.enter_context(Fake()) for _ in range(4)]
        servers = [Server(fake.url) for fake in fakes]

        def work(number: int) -> list[int]:
            proxies = [servers[number].create(f"p{number}", "127.0.0.1:0", "127.0.0.1:9") for _ in range(10)]
            return [proxy.port for proxy in proxies]

        with ThreadPoolExecutor(len(servers)) as pool:
            ports = list(pool.map(work, range(len(servers))))
        assert ports == [[fake.server_port] * 10 for fake in fakes]
        for number, fake in enumerate(fakes):
            assert {body["name"] for method, _, body in fake.asked if method == "POST"} == {f"p{number}"}


def test_what_is_asked_of_a_proxy(fake: Fake) -> None:
    proxy = Server(fake.url).create("p", "127.0.0.1:0", "127.0.0.1:9")
    fake.asked.clear()
    proxy.update("127.0.0.1:10", enabled=False)
    proxy.add("rule-1", LATENCY)
    proxy.remove("rule-1")
    proxy.delete()
    toxic = {"name": "rule-1", "type": "latency", "stream": "upstream", "toxicity": 1.0}
    assert fake.asked == [
        ("POST", "/proxies/p", {"upstream": "127.0.0.1:10", "enabled": False}),
        ("POST", "/proxies/p/toxics", {**toxic, "attributes": {"latency": 5, "jitter": 0}}),
        ("DELETE", "/proxies/p/toxics/rule-1", None),
        ("DELETE", "/proxies/p", None),
    ]


@pytest.mark.parametrize(
    ("status", "answer", "text"),
    [
        (500, {"error": "listen tcp: no", "status": 500}, "POST /proxies was refused: 500 listen tcp: no; its log"),
        (503, "", "POST /proxies was refused: 503 Service Unavailable"),
        (403, "User agent not allowed", "403 User agent not allowed"),
        (400, {"error": "bad request body"}, "400 bad request body"),
        (404, {"error": "proxy not found"}, "404 proxy not found; somebody else deleted it, or the server was restart"),
        (409, {"error": "proxy already exists"}, "409 proxy already exists; somebody else uses that name"),
    ],
)
def test_every_bad_status_is_an_error(fake: Fake, status: int, answer: Any, text: str) -> None:
    server = Server(fake.url)
    fake.answers["POST", "/proxies"] = (status, answer)
    with pytest.raises(ToxiproxyError, match=text):
        server.create("p", "127.0.0.1:0", "127.0.0.1:9")


def test_a_bad_status_is_an_error_of_every_call(fake: Fake) -> None:
    proxy = Server(fake.url).create("p", "127.0.0.1:0", "127.0.0.1:9")
    fake.answers = dict.fromkeys(
        [
            ("POST", "/proxies/p"),
            ("POST", "/proxies/p/toxics"),
            ("DELETE", "/proxies/p/toxics/t"),
            ("DELETE", "/proxies/p"),
        ],
        (500, {"error": "broken"}),
    )
    for call in (
        lambda: proxy.update("127.0.0.1:10", True),
        lambda: proxy.add("t", LATENCY),
        lambda: proxy.remove("t"),
        proxy.delete,
    ):
        with pytest.raises(ToxiproxyError, match="500 broken"):
            call()


def test_nobody_there_is_told_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ToxiproxyError, match=rf"{url}: GET /version failed: .*is the server running"):
        Server(url)


def test_one_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ToxiproxyError, match="was not answered in"):
            Server(url)


def test_a_web_proxy_in_the_environment_is_not_asked(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert Server(fake.url).version == "2.12.0"


def test_a_missing_server_program_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert availability() is not None
    with pytest.raises(ToxiproxyError, match=r"toxiproxy: no toxiproxy-server on PATH; put toxiproxy-server 2\.x"):
        OwnServer("127.0.0.1", 1)
