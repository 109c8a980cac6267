"""A small order service: POST /orders books an order in Redis. With IDEMPOTENCY_KEYS=honoured a request that comes
again, by its Idempotency-Key, is answered as before; with "ignored" it books again, as many services do."""

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HONOURED = os.environ.get("IDEMPOTENCY_KEYS", "honoured") == "honoured"

BOOK = """
if ARGV[2] == 'honoured' then
  local before = redis.call('HGET', 'answers', ARGV[1])
  if before then return before end
end
local number = redis.call('INCR', 'orders')
redis.call('HINCRBY', 'booked', ARGV[1], 1)
redis.call('HSET', 'answers', ARGV[1], number)
return tostring(number)
"""
"""One script, so that Redis books an order and remembers its answer together or not at all."""


class Redis:
    """One connection, made anew whenever it has failed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file = None

    def call(self, *words: str) -> bytes:
        with self._lock:
            try:
                return self._call(words)
            except OSError:
                self._file = None
                raise

    def _call(self, words: tuple[str, ...]) -> bytes:
        if self._file is None:
            connection = socket.create_connection(("redis", 6379), timeout=1)
            self._file = connection.makefile("rwb")
        parts = [word.encode() for word in words]
        self._file.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        self._file.flush()
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("Redis ended the connection")
        if line[:1] == b"-":
            raise ValueError(line.decode())
        return self._file.read(int(line[1:]) + 2)[:-2] if line[:1] == b"$" else line[1:].strip()


redis = Redis()


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(lambda: redis.call("PING"))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("Idempotency-Key", "")
        self._answer(lambda: redis.call("EVAL", BOOK, "0", key, "honoured" if HONOURED else "ignored"))

    def _answer(self, work) -> None:
        try:
            status, body = 200, work()
        except (OSError, ValueError) as error:
            status, body = 503, str(error).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Quiet."""


ThreadingHTTPServer(("", 8080), Orders).serve_forever()
