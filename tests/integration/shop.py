"""A small shop that tests bring up with Compose: its service in Python, how its image is built, and who calls it."""

from __future__ import annotations

from pathlib import Path

DRIVE = Path(__file__).parents[2] / "examples/orders/drive.py"

DOCKERFILE = "FROM BASE\nARG KEYS\nENV KEYS=$KEYS\nCOPY service.py /app/\n"
"""BASE is the image of nodes, which has Python."""

SERVICE = """
import http.server, json, pathlib, sys
BOOKED = pathlib.Path("/data/booked")

class Shop(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with BOOKED.open("a") as file:
            file.write(self.headers["Idempotency-Key"] + "\\n")
        self.answer(b"1")

    def do_GET(self):
        found = BOOKED.read_text().split() if BOOKED.exists() else []
        self.answer(json.dumps([{"intent": int(one), "n": found.count(one)} for one in set(found)]).encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        sys.stdout.buffer.write(b"\\xff not text\\n")
        sys.stdout.buffer.flush()

if sys.argv[1:] == ["migrate"]:
    with open("/data/migrated", "a") as file:
        file.write("once\\n")
else:
    assert open("/data/migrated").read() == "once\\n", "the job has ended, and has run once"
    http.server.ThreadingHTTPServer(("", 8080), Shop).serve_forever()
"""
"""As `migrate` it is the job that has to be done once before it starts."""
