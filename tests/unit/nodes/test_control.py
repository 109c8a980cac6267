"""The control protocol: both sides prove themselves, and nothing is obeyed before."""

import hmac
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.control import (
    FENCED,
    HANDSHAKE_LIMIT,
    ORCHESTRATOR_VARIABLE,
    RUN_VARIABLE,
    TOKEN_VARIABLE,
    VERSION,
    BadFrame,
    Connector,
    ControlError,
    Endpoint,
    Listener,
    Refused,
    State,
    WrongToken,
    WrongVersion,
    answer,
    control_line,
    event,
    parse_control_line,
    refusal,
    token_from_hex,
)
from nodes.wire.frames import Splitter, encode

TOKEN = b"a secret of this run"
COMMAND = {"type": "status", "id": 1}


def pair(listener_token: bytes = TOKEN, connector_token: bytes = TOKEN) -> tuple[Listener, Connector]:
    return Listener(listener_token, b"L" * 32), Connector(connector_token, b"C" * 32)


def opened() -> tuple[Listener, Connector]:
    listener, connector = pair()
    connector.receive(listener.outgoing())
    listener.receive(connector.outgoing())
    connector.receive(listener.outgoing())
    return listener, connector


def test_both_sides_are_open_after_three_frames_and_talk() -> None:
    listener, connector = opened()
    assert (listener.state, connector.state) == (State.OPEN, State.OPEN)
    assert listener.receive(connector.send(COMMAND)) == [COMMAND]
    told = answer(COMMAND, {"open": 3}), refusal(COMMAND, "no such gate: 9"), event("ok", 5, 10_101)
    assert connector.receive(b"".join(map(listener.send, told))) == [
        {"type": "answer", "id": 1, "open": 3},
        {"type": "answer", "id": 1, "error": "no such gate: 9"},
        {"type": "event", "event": "ok", "number": 5, "client": 10_101},
    ]


def test_the_greeting_is_of_version_1_whose_proofs_are_these() -> None:
    """Agents and nodes of another release are refused by the version, not by what it would make of the rest."""
    listener, connector = pair()
    greeting = listener.outgoing()
    assert list(Splitter().feed(greeting)) == [{"version": 1, "nonce": b"L" * 32}]
    connector.receive(greeting)
    mac = hmac.digest(TOKEN, b"faultbed control 1 connector" + b"L" * 32 + b"C" * 32, "sha256")
    assert list(Splitter().feed(connector.outgoing())) == [{"nonce": b"C" * 32, "mac": mac}]


def test_other_processes_go_by_these_names_and_this_exit_code() -> None:
    assert (TOKEN_VARIABLE, RUN_VARIABLE) == ("FAULTBED_TOKEN", "FAULTBED_RUN")
    assert (ORCHESTRATOR_VARIABLE, FENCED) == ("FAULTBED_ORCHESTRATOR", 76)
    listener, connector = pair()
    connector.receive(listener.outgoing())
    listener.receive(connector.outgoing())
    mac = hmac.digest(TOKEN, b"faultbed control 1 listener" + b"L" * 32 + b"C" * 32, "sha256")
    assert list(Splitter().feed(listener.outgoing())) == [{"mac": mac}]


def test_the_token_never_travels() -> None:
    listener, connector = pair()
    greeting = listener.outgoing()
    connector.receive(greeting)
    proof = connector.outgoing()
    listener.receive(proof)
    assert TOKEN not in greeting + proof + listener.outgoing()


def test_a_wrong_token_is_an_error_on_both_sides() -> None:
    listener, connector = pair(connector_token=b"another run's")
    connector.receive(listener.outgoing())
    with pytest.raises(WrongToken, match="connecting side does not know"):
        listener.receive(connector.outgoing() + encode(COMMAND))
    with pytest.raises(Refused, match="connecting side does not know"):
        connector.receive(listener.outgoing())
    assert (listener.state, connector.state) == (State.FAILED, State.FAILED)


def test_a_listener_without_the_token_is_refused() -> None:
    listener, connector = pair()
    connector.receive(listener.outgoing())
    connector.outgoing()
    with pytest.raises(WrongToken, match="listening side does not know"):
        connector.receive(encode({"mac": b"\0" * 32}))
    with pytest.raises(Refused, match="listening side does not know"):
        listener.receive(connector.outgoing())


def test_a_proof_is_neither_replayed_nor_reflected() -> None:
    listener, connector = pair()
    connector.receive(listener.outgoing())
    proof = connector.outgoing()
    later = Listener(TOKEN, b"M" * 32)
    with pytest.raises(WrongToken):
        later.receive(proof)
    (mac,) = (frame["mac"] for frame in Splitter().feed(proof))
    with pytest.raises(WrongToken):
        connector.receive(encode({"mac": mac}))


def test_another_version_is_named_on_both_sides() -> None:
    listener, connector = pair()
    with pytest.raises(WrongVersion, match=f"version 7, this side version {VERSION}"):
        connector.receive(encode({"version": 7, "nonce": b"L" * 32}))
    with pytest.raises(Refused, match="version 7"):
        listener.receive(connector.outgoing())


def test_something_else_on_the_port_is_told_from_a_listener() -> None:
    _, connector = pair()
    with pytest.raises(ControlError):
        connector.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"nonce": b"C" * 32}, "needs 'mac'"),
        ({"mac": b"C" * 32}, "needs 'nonce'"),
        ({"nonce": b"", "mac": b"C" * 32}, "needs 'nonce'"),
        ({"nonce": "C" * 32, "mac": "C" * 32}, "needs 'nonce'"),
        (COMMAND, "needs 'nonce'"),
    ],
)
def test_a_handshake_frame_without_its_fields_is_refused(frame: dict[str, object], reason: str) -> None:
    listener, _ = pair()
    with pytest.raises(BadFrame, match=reason):
        listener.receive(encode(frame))


def test_the_limit_is_small_before_the_proof_and_a_mebibyte_after_it() -> None:
    stranger, _ = pair()
    with pytest.raises(BadFrame, match=f"at most {HANDSHAKE_LIMIT}"):
        stranger.receive(struct.pack(">I", HANDSHAKE_LIMIT + 1))
    listener, connector = opened()
    large = {"type": "configure", "id": 1, "spec": "x" * 500_000}
    assert listener.receive(connector.send(large)) == [large]
    with pytest.raises(BadFrame, match="at most 1048576"):
        connector.send({"type": "configure", "id": 1, "spec": "x" * 2_000_000})
    assert connector.state is State.OPEN
    with pytest.raises(BadFrame, match="announces 1048577"):
        listener.receive(struct.pack(">I", 1024 * 1024 + 1))


@pytest.mark.parametrize("frame", [{}, {"id": 1}, {"type": 3, "id": 1}])
def test_a_message_without_a_type_is_refused(frame: dict[str, object]) -> None:
    listener, _ = opened()
    with pytest.raises(BadFrame, match="'type'"):
        listener.receive(encode(frame))


def test_nothing_is_sent_before_the_proof_nor_taken_after_a_failure() -> None:
    listener, _ = pair()
    with pytest.raises(ControlError, match="awaits proof"):
        listener.send({"type": "event"})
    with pytest.raises(BadFrame):
        listener.receive(encode({}))
    with pytest.raises(ControlError, match="failed already"):
        listener.receive(encode(COMMAND))
    with pytest.raises(ControlError, match="failed"):
        listener.send({"type": "event"})


def test_an_end_is_judged_by_where_it_comes() -> None:
    listener, connector = pair()
    assert "awaits greeting" in str(connector.ended())
    listener, connector = opened()
    assert connector.ended() is None
    listener.receive(connector.send(COMMAND)[:-1])
    assert "middle of a frame" in str(listener.ended())


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([Listener, Connector]), st.lists(st.binary(max_size=80), max_size=5))
def test_arbitrary_bytes_are_never_obeyed_and_never_crash(
    side: type[Listener | Connector], chunks: list[bytes]
) -> None:
    assert obeyed(side(TOKEN, b"N" * 32), chunks) == []


frames = st.dictionaries(
    st.sampled_from(["type", "id", "nonce", "mac", "version", "refused"]),
    st.sampled_from(["configure", 1, VERSION, b"L" * 32, b"C" * 32, b"", None, [1], {"a": 1}]),
)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([Listener, Connector]), st.lists(frames, max_size=5))
def test_well_formed_frames_without_the_token_are_never_obeyed(
    side: type[Listener | Connector], messages: list[dict[str, object]]
) -> None:
    endpoint = side(TOKEN, b"N" * 32)
    assert obeyed(endpoint, [encode(message) for message in messages]) == []
    assert endpoint.state is not State.OPEN


@settings(deadline=None, max_examples=150)
@given(st.lists(st.binary(max_size=80), max_size=5))
def test_arbitrary_bytes_after_the_proof_never_crash(chunks: list[bytes]) -> None:
    listener, _ = opened()
    assert all(isinstance(message["type"], str) for message in obeyed(listener, chunks))


def obeyed(endpoint: Endpoint, chunks: list[bytes]) -> list[dict[str, object]]:
    messages = []
    try:
        for chunk in chunks:
            messages += endpoint.receive(chunk)
    except ControlError:
        assert endpoint.state is State.FAILED
    return messages


@pytest.mark.parametrize("text", ["", "zz", "abc"])
def test_a_token_that_is_no_hexadecimal_is_named_by_its_variable(text: str) -> None:
    with pytest.raises(ControlError, match="FAULTBED_TOKEN"):
        token_from_hex(text)


def test_a_token_in_hexadecimal_is_its_bytes() -> None:
    assert token_from_hex("00ff10") == b"\x00\xff\x10"


def test_the_control_line_is_read_as_it_is_written() -> None:
    assert parse_control_line(control_line("127.0.0.1", 4711) + "\n") == ("127.0.0.1", 4711)


def test_a_port_of_many_digits_is_refused() -> None:
    """int() takes 4,300 of them at most."""
    with pytest.raises(ControlError, match="control HOST PORT"):
        parse_control_line("control host " + "9" * 5000)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(ControlError, match="control HOST PORT"):
        parse_control_line(line)


def test_an_empty_token_or_a_short_nonce_is_no_endpoint() -> None:
    with pytest.raises(ValueError, match="token is empty"):
        Listener(b"", b"L" * 32)
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        Connector(TOKEN, b"abc")


@pytest.mark.parametrize("key", ["refused", "version", "nonce", "mac", "type"])
@pytest.mark.parametrize("depth", [900, 985, 1000, 1010])
@pytest.mark.parametrize("side", [Listener, Connector])
def test_no_depth_that_fits_before_the_proof_ends_the_process(
    side: type[Listener | Connector], depth: int, key: str
) -> None:
    name = key.encode()
    payload = bytes([0x81, 0xA0 | len(name)]) + name + b"\x91" * depth + b"\x01"
    with pytest.raises(ControlError) as error:
        side(TOKEN, b"N" * 32).receive(struct.pack(">I", len(payload)) + payload)
    assert len(str(error.value)) < 300
