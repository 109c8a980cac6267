"""toxiproxy-python, wrapped once: several servers, a timeout on every call, every status checked, one exception.

What is wrong with it (0.1.1) and what is done about it here:

- The server's host and port are attributes of its class APIConsumer, so all its objects speak with one server. Its
  modules look APIConsumer up by name at every call, so that name is given to something that knows in whose name
  the call is made; there is no parameter to hand it in by.
- Calls have no timeout, and 5xx and most of 4xx pass for success: `Client` has the one and checks the other.
- `requests` obeys HTTP_PROXY; the API of a test's server is never behind a web proxy.
- Names are put into URLs as they are: use letters, digits, '-', '_' and '.' only.
- `populate` returns only what it created, and gives up half-way; `down()` enables what was disabled before; `version`
  and `running` hide errors; an upstream cannot be changed. They are not used, or replaced, here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import requests
import toxiproxy.proxy
import toxiproxy.server

from chaos.planes.toxiproxy.toxics import Spec

TIMEOUT = 8.0
"""Seconds: below the orchestrator's patience with an answer, above what a busy machine needs."""

SUPPORTED = re.compile(r"v?2\.")
REMEDIES = {
    404: "somebody else deleted it, or the server was restarted; give the run a server of its own",
    409: "somebody else uses that name on this server",
}


class ToxiproxyError(ValueError):
    """The server did not do what it was asked. The text says what, where, why and what to do."""


class Client:
    """What toxiproxy-python takes for its APIConsumer: one server's HTTP API."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False
        # Calls are far between: a kept connection would be found closed by the server just when it is used.
        self._http.headers["Connection"] = "close"

    def get(self, path: str, params: Any = None, **options: Any) -> requests.Response:
        return self._ask("GET", path, params=params, **options)

    def post(self, path: str, data: Any = None, json: Any = None, **options: Any) -> requests.Response:
        return self._ask("POST", path, data=data, json=json, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self._ask("DELETE", path, **options)

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Inside, whatever toxiproxy-python asks for is asked of this server."""
        token = _speaking.set(self)
        try:
            yield
        finally:
            _speaking.reset(token)

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        what = f"Toxiproxy at {self.url}: {method} {path}"
        try:
            response = self._http.request(method, self.url + path, timeout=TIMEOUT, **options)
        except requests.Timeout as error:
            raise ToxiproxyError(f"{what} was not answered in {TIMEOUT:.0f} s; is that server overloaded?") from error
        except requests.RequestException as error:
            raise ToxiproxyError(f"{what} failed: {error}; is the server running, and reachable from here?") from error
        if response.status_code >= 400:
            remedy = REMEDIES.get(response.status_code, "its log may say more")
            raise ToxiproxyError(f"{what} was refused: {response.status_code} {_reason(response)}; {remedy}")
        return response


_speaking: ContextVar[Client] = ContextVar("speaking")


class _Spoken:
    """Stands where toxiproxy-python looks for APIConsumer."""

    @staticmethod
    def get(*args: Any, **options: Any) -> requests.Response:
        return _speaking.get().get(*args, **options)

    @staticmethod
    def post(*args: Any, **options: Any) -> requests.Response:
        return _speaking.get().post(*args, **options)

    @staticmethod
    def delete(*args: Any, **options: Any) -> requests.Response:
        return _speaking.get().delete(*args, **options)


toxiproxy.proxy.APIConsumer = toxiproxy.server.APIConsumer = _Spoken


class Proxy:
    """One proxy of one server."""

    def __init__(self, client: Client, proxy: toxiproxy.proxy.Proxy) -> None:
        self._client = client
        self._proxy = proxy

    @property
    def port(self) -> int:
        """Where it listens, or would if it were enabled."""
        return int(self._proxy.listen.rpartition(":")[2])

    def update(self, upstream: str, enabled: bool) -> None:
        """A change of either closes every connection; its toxics stay."""
        self._client.post(f"/proxies/{self._proxy.name}", json={"upstream": upstream, "enabled": enabled})

    def add(self, name: str, toxic: Spec) -> None:
        """Put a toxic at the end of its stream's pipeline. The name is new in this proxy."""
        with self._client.speaking():
            self._proxy.add_toxic(name=name, **toxic._asdict())

    def remove(self, name: str) -> None:
        with self._client.speaking():
            self._proxy.destroy_toxic(name)

    def toxics(self) -> list[str]:
        """The names of those it has."""
        with self._client.speaking():
            return list(self._proxy.toxics())

    def delete(self) -> None:
        with self._client.speaking():
            self._proxy.destroy()


class Server:
    """A running Toxiproxy server, asked for its version first. Raises ToxiproxyError, as all its calls do."""

    def __init__(self, url: str) -> None:
        self._client = Client(url)
        self.version = _version(self._client.get("/version"))
        if not SUPPORTED.match(self.version):
            raise ToxiproxyError(
                f"what answers at {url} says it is version {self.version!r:.80}; start a Toxiproxy 2.x"
            )

    def create(self, name: str, listen: str, upstream: str) -> Proxy:
        """A proxy without toxics; `listen` and `upstream` are "host:port", port 0 for a free one."""
        with self._client.speaking():
            return Proxy(self._client, toxiproxy.server.Toxiproxy().create(upstream, name, listen, enabled=True))

    def proxies(self) -> dict[str, Proxy]:
        """All that it has, other people's among them, by name."""
        with self._client.speaking():
            found = toxiproxy.server.Toxiproxy().proxies()
        return {name: Proxy(self._client, proxy) for name, proxy in found.items()}

    def close(self) -> None:
        self._client.close()


def _version(response: requests.Response) -> str:
    """JSON since 2.5, bare text before."""
    try:
        return str(response.json()["version"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip()


def _reason(response: requests.Response) -> str:
    try:
        return str(json.loads(response.text)["error"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip()[:200] or str(response.reason)
