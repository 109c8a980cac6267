"""Engines that are wrong on purpose: the contract must convict them."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from collecting import collections_of_new_objects_alone
from engine_checks import CHECKS, OF_REAL_ENGINES
from engine_contract import ANY_PORT, MILLISECOND, Subject
from engine_contract_transports import CHECKS as OVER_TRANSPORTS

from nodes import ops
from nodes.engines import epoll, epoll_edge, epoll_oneshot
from nodes.engines.common import sockets
from nodes.engines.common.loop import PENDING
from nodes.engines.common.poller import Trigger
from nodes.wire.addresses import UnixPath
from nodes.wire.transports import TRANSPORTS

__all__ = ["collections_of_new_objects_alone"]  # a fixture for every test here


class NewestWaiterFirst(epoll.Engine):
    def _put(self, task: Any, operation: ops.Put) -> None:
        operation.queue.waiters.rotate(1)
        super()._put(task, operation)


class LosesWakeups(epoll.Engine):
    def _put(self, task: Any, operation: ops.Put) -> None:
        operation.queue.items.append(operation.item)


class CancelTakesAnItem(epoll.Engine):
    def _cancel(self, task: Any, operation: ops.Cancel) -> None:
        operation.task.undo = None  # type: ignore[attr-defined]
        super()._cancel(task, operation)


class SendsOnlyWhatFits(epoll.Engine):
    def _await_sent(self, task: Any, operation: ops.Send, sent: int) -> Any:
        return None


class CloseWakesNobody(epoll.Engine):
    def _close(self, task: Any, operation: ops.Close) -> None:
        operation.socket.reader = None  # type: ignore[attr-defined]
        super()._close(task, operation)


class ReceivesForEver(epoll.Engine):
    def _await_readable(self, task: Any, operation: Any, size: int) -> Any:
        operation.deadline = None
        return super()._await_readable(task, operation, size)


class TrustsAShortReceive(epoll_edge.Engine):
    """As if edges told of an end of file by themselves."""

    class poller(epoll_edge.EdgePoller):  # noqa: N801
        def __init__(self) -> None:
            super().__init__()
            register = self._epoll.register
            self.register = lambda fd, interest: register(fd, interest | select.EPOLLET)


class TakesEdgesForLevels(epoll_edge.Engine):
    class poller(epoll_edge.EdgePoller):  # noqa: N801
        trigger = Trigger.LEVEL
        tells_end = False


class TakesOneShotsForLevels(epoll_oneshot.Engine):
    class poller(epoll_oneshot.OneShotPoller):  # noqa: N801
        trigger = Trigger.LEVEL


class SwallowsErrors(epoll.Engine):
    def _ended(self, task: Any, error: BaseException) -> None:
        super()._ended(task, StopIteration(None) if isinstance(error, Exception) else error)


class Keeping(epoll.Engine):
    """Keeps what it should let go until the run ends."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._kept: list[Any] = []

    def _tear_down(self) -> None:
        super()._tear_down()
        for kept in self._kept:
            if isinstance(kept, int):
                os.close(kept)


class CloseKeepsTheDescriptor(Keeping):
    """The peer is told all the same."""

    def _discard(self, endpoint: Any) -> None:
        if endpoint.peer is not None and not select.select([endpoint.fd], [], [], 0)[0]:
            endpoint.raw.shutdown(socket.SHUT_RDWR)
            self._kept.append(os.dup(endpoint.fd))
        super()._discard(endpoint)


class ResetsLeaveDescriptors(Keeping):
    def _end_read(self, endpoint: Any, task: Any, resume: Any, argument: Any) -> None:
        if isinstance(argument, ConnectionResetError):
            self._kept.append(os.dup(endpoint.fd))
        super()._end_read(endpoint, task, resume, argument)


class RemembersTasks(Keeping):
    def _ended(self, task: Any, error: BaseException) -> None:
        self._kept.append(task)
        super()._ended(task, error)


class RemembersSockets(Keeping):
    def _discard(self, endpoint: Any) -> None:
        self._kept.append(endpoint)
        super()._discard(endpoint)


class NobodyElsesTurn(epoll.Engine):
    def _step(self, task: Any, resume: Any, argument: Any) -> None:
        while argument is not PENDING:
            try:
                operation = resume(argument)
            except BaseException as error:
                self._ended(task, error)
                return
            resume = task.send
            try:
                argument = self._perform[operation.__class__](task, operation)
            except (Exception, ops.Cancelled) as error:
                resume, argument = task.throw, error


class ServesTheLowestAlone(epoll.Engine):
    """What is ready beside it is told again; so is that one."""

    def _waiter(self) -> Callable[[int | None], list[tuple[int, int]]]:
        wait = self._poller.wait
        return lambda timeout: sorted(wait(timeout))[:1]


class DeafToUrgentData(epoll_edge.Engine):
    class poller(epoll_edge.EdgePoller):  # noqa: N801
        def __init__(self) -> None:
            super().__init__()
            register, modify = self._epoll.register, self._epoll.modify
            flags = select.EPOLLET | select.EPOLLRDHUP
            self.register = lambda fd, interest: register(fd, interest | flags)
            self.modify = lambda fd, interest: modify(fd, interest | flags)


class Delays(epoll.Engine):
    def _adopt(self, raw: socket.socket, local: Any, peer: Any) -> Any:
        if raw.family in sockets.INTERNET:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        return super()._adopt(raw, local, peer)


class WaitsForOldConnections(epoll.Engine):
    """No SO_REUSEADDR."""

    def _listen(self, _task: Any, operation: ops.Listen) -> Any:
        raw = sockets._bound(operation.address, socket.SOCK_STREAM)
        raw.listen(operation.backlog)
        return self._enter(raw, lambda _size: self._accept(raw), sockets.local_of(raw), None)


class SendsOtherMemory(epoll.Engine):
    """For what is no bytes object."""

    def _await_sent(self, task: Any, operation: ops.Send, sent: int | None) -> Any:
        if not isinstance(getattr(operation.data, "obj", operation.data), bytes):
            operation.data = bytes(len(operation.data))
        return super()._await_sent(task, operation, sent)


class CutsMessages(epoll.Engine):
    """To a buffer of its own."""

    def _enter(self, raw: socket.socket, receive: Callable[[int], Any], local: Any, peer: Any) -> Any:
        messages = raw.type != socket.SOCK_STREAM and peer is None and not _listens(raw)
        return super()._enter(raw, (lambda size: receive(min(size, 32_768))) if messages else receive, local, peer)

    def _adopt(self, raw: socket.socket, local: Any, peer: Any) -> Any:
        endpoint = super()._adopt(raw, local, peer)
        if raw.type == socket.SOCK_SEQPACKET:
            endpoint.receive = lambda size: raw.recv(min(size, 32_768))
        return endpoint


def _listens(raw: socket.socket) -> int:
    return raw.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


class Renaming(epoll.Engine):
    """Says another address than the one that a datagram came from."""

    def _bind(self, task: Any, operation: ops.Bind) -> Any:
        endpoint = super()._bind(task, operation)
        receive = endpoint.receive

        def received(size: int) -> tuple[bytes, ops.Address]:
            data, address = receive(size)
            return data, self._renamed(address)

        endpoint.receive = received
        return endpoint

    def _renamed(self, address: ops.Address) -> ops.Address:
        raise NotImplementedError


class KeepsTheFirstName(Renaming):
    first: ops.Address | None = None

    def _renamed(self, address: ops.Address) -> ops.Address:
        self.first = self.first or address
        return self.first


class StripsNames(Renaming):
    def _renamed(self, address: ops.Address) -> ops.Address:
        return UnixPath(address.path.rstrip("\0")) if isinstance(address, UnixPath) else address


class TakesNothingForTheEnd(epoll.Engine):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._perform[ops.HasEnded] = lambda task, operation: self._nothing_comes(operation)

    @staticmethod
    def _nothing_comes(operation: Any) -> bool:
        try:
            return not operation.socket.raw.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False


MUTANTS = [
    (NewestWaiterFirst, "check_the_longest_waiter_is_served_first"),
    (LosesWakeups, "check_every_joiner_is_told"),
    (CancelTakesAnItem, "check_cancel_at_get_takes_no_item"),
    (SendsOnlyWhatFits, "check_a_send_is_complete_however_slow_the_reader"),
    (CloseWakesNobody, "check_close_ends_what_waits_on_the_socket"),
    (ReceivesForEver, "check_recv_has_a_deadline_and_loses_nothing"),
    (TrustsAShortReceive, "check_an_end_of_file_that_came_with_the_data"),
    (TakesEdgesForLevels, "check_what_a_receive_left_is_there_for_the_next"),
    (TakesOneShotsForLevels, "check_what_a_receive_left_is_there_for_the_next"),
    (SwallowsErrors, "check_an_error_that_nobody_joins_ends_the_run"),
    (CloseKeepsTheDescriptor, "check_close_gives_the_descriptor_back"),
    (ResetsLeaveDescriptors, "check_a_connection_that_was_reset_leaves_no_descriptor"),
    (RemembersTasks, "check_what_has_ended_is_forgotten"),
    (RemembersSockets, "check_what_has_ended_is_forgotten"),
    (NobodyElsesTurn, "check_who_need_not_wait_lets_others_on"),
    (ServesTheLowestAlone, "check_of_sockets_that_are_always_ready_each_is_served"),
    (DeafToUrgentData, "check_urgent_data_hides_nothing"),
    (Delays, "check_connections_send_without_delay"),
    (WaitsForOldConnections, "check_a_port_whose_connections_have_just_ended_can_be_had_again"),
    (SendsOtherMemory, "check_send_takes_any_bytes_like_object"),
]
OVER = [
    (
        CutsMessages,
        "check_a_message_is_cut_to_nothing_but_the_size_asked_for",
        ("udp", "unix-datagram", "unix-seqpacket"),
    ),
    (KeepsTheFirstName, "check_each_datagram_says_who_sent_it", ("udp", "unix-datagram")),
    (StripsNames, "check_a_name_in_no_file_system_may_end_with_zero_bytes", ("unix-datagram",)),
    (TakesNothingForTheEnd, "check_a_message_of_no_bytes_is_no_end", ("unix-seqpacket",)),
]
CONVICTIONS = (AssertionError, TimeoutError, OSError, ops.Cancelled)
HASTE = 300 * MILLISECOND
pytestmark = pytest.mark.skipif(epoll.availability() is not None, reason=str(epoll.availability()))


@pytest.mark.parametrize(("mutant", "check"), MUTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_engine_is_convicted(mutant: type, check: str) -> None:
    examine = (CHECKS | OF_REAL_ENGINES)[check]
    examine(Subject(epoll.Engine))
    with pytest.raises(CONVICTIONS):
        examine(Subject(mutant, guard=HASTE))


@pytest.mark.parametrize(
    ("mutant", "check", "transport"), [(mutant, check, name) for mutant, check, names in OVER for name in names]
)
def test_a_broken_engine_is_convicted_over(mutant: type, check: str, transport: str, tmp_path: Path) -> None:
    (examine, _), row, numbers = OVER_TRANSPORTS[check], TRANSPORTS[transport], count()

    def fresh() -> ops.Address:
        return UnixPath(str(tmp_path / f"{next(numbers)}")) if row.address == "path" else ANY_PORT

    examine(Subject(epoll.Engine), row, fresh)
    with pytest.raises(CONVICTIONS):
        examine(Subject(mutant, guard=HASTE), row, fresh)
