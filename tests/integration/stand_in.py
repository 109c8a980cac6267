"""A stand-in for a node: `python -I stand_in.py MODE NAME`. It speaks the control protocol and does as MODE says."""

import os
import socket
import sys
from pathlib import Path

from nodes.clock import now
from nodes.control import Listener, answer, control_line, event, refusal, token_from_hex
from nodes.journal import JournalWriter
from nodes.wire.record import Kind


def obey(command: dict, name: str) -> list[dict]:
    if command["type"] == "configure":
        JournalWriter(Path(f"{name}.1.journal"), now).note(Kind.START)
        return [event("ready", 1), answer(command, {"addresses": {}})]
    if command["type"] == "burst":
        return [event("ok", number, 10_101) for number in range(command["number"])] + [answer(command, {})]
    if command["type"] == "stop":
        return [answer(command, {})]
    return [refusal(command, f"{command['type']!r} is unknown")]


def serve(mode: str, name: str) -> None:
    token = token_from_hex("00" if mode == "wrong-token" else os.environ["FAULTBED_TOKEN"])
    endpoint = Listener(token, os.urandom(32))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(control_line(*listener.getsockname()), flush=True)
        connection, _ = listener.accept()
    connection.sendall(endpoint.outgoing())
    while data := connection.recv(65536):
        for command in endpoint.receive(data):
            connection.sendall(b"".join(endpoint.send(message) for message in obey(command, name)))
            if command["type"] == "stop":
                return
            if command["type"] == "burst":
                os.kill(os.getpid(), 9)
            if command["type"] == "garble":
                connection.sendall(b"\xff\xff\xff\xff")
            if command["type"] == "fail":
                raise SystemExit("the disk is full")
            if command["type"] == "hang-up":
                connection.close()
                os.execlp("sleep", "sleep", "60")
        connection.sendall(endpoint.outgoing())


def main(mode: str, name: str) -> None:
    if mode == "dies":
        print("there is no engine of that name", file=sys.stderr)
        raise SystemExit(70)
    if mode == "mute":
        os.execlp("sleep", "sleep", "60")
    if mode == "babbles":
        print("hello", flush=True)
        os.execlp("sleep", "sleep", "60")
    if mode == "deaf":
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.set_inheritable(True)  # nobody else can listen there
        print(control_line(*taken.getsockname()), flush=True)
        os.execlp("sleep", "sleep", "60")
    serve(mode, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
