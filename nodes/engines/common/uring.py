"""io_uring(7) by its system calls: a ring of submissions, one of completions, and buffers that the kernel picks from.

Rules of this file:

1. One thread makes a ring, submits to it and waits on it (IORING_SETUP_SINGLE_ISSUER); completions are posted only
   while that thread is inside io_uring_enter(2) (IORING_SETUP_DEFER_TASKRUN). So no index needs a memory barrier:
   whoever wrote it is whoever reads it, or the same thread in the kernel.
2. What a submission points to must stay where it is until its completion came. The caller keeps it.
3. Buffers go back in the order in which they were picked, so nearly always the slot of the buffer ring that is due next
   holds that very buffer already, and giving it back is counting.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from collections.abc import Iterator

SETUP, ENTER, REGISTER = 425, 426, 427  # the same numbers on every architecture (syscalls(2))
NEEDS = "6.1"
"""The first Linux that has all of this file's flags."""

_SETUP_FLAGS = (
    1 << 3  # IORING_SETUP_CQSIZE
    | 1 << 7  # IORING_SETUP_SUBMIT_ALL: a refused submission does not hold up those after it
    | 1 << 12  # IORING_SETUP_SINGLE_ISSUER
    | 1 << 13  # IORING_SETUP_DEFER_TASKRUN
)
_PARAMS = struct.Struct("=7I12x8IQ8IQ")
_ENTER_GETEVENTS, _ENTER_EXT_ARG = 1, 8
_REGISTER_PBUF_RING = 22
_COMPLETION = struct.Struct("=QiI")
_SLOT = struct.Struct("=QIH")
_TAIL = struct.Struct("=H")
_TAIL_AT = 14  # struct io_uring_buf_ring: the tail lies in the first slot's spare field
_ARGUMENT = struct.Struct("=QIIQ")
_SIZE = ctypes.c_size_t(_ARGUMENT.size)
_TIMESPEC = struct.Struct("=qq")
_MASK32 = 0xFFFFFFFF
_PASSING = frozenset({errno.EINTR, errno.ETIME, errno.EBUSY, errno.EAGAIN})
"""What io_uring_enter(2) ends with that the next call may not: a signal, the timeout, too much at once."""
_GROUP = 0

_SUBMISSION = struct.Struct("=BBHiQQIIQH22x")


def submission(
    opcode: int, fd: int, address: int, length: int, token: int,
    *, offset: int = 0, flags: int = 0, options: int = 0, hint: int = 0,
) -> bytes:  # fmt: skip
    """A struct io_uring_sqe: `offset` is its `off`, `options` its `msg_flags`, `hint` its `ioprio`."""
    return _SUBMISSION.pack(opcode, flags, hint, fd, offset, address, length, options, token, _GROUP)


BUFFER_SELECT = 1 << 5
"""A submission's flag: the kernel picks the buffer."""
PICKED = 1
"""A completion's flag: it did; the buffer's number stands above bit 16."""

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = [ctypes.c_long, *[ctypes.c_ulong] * 6]


_enter = ctypes.CDLL(None, use_errno=True).syscall
"""The same without types, which cost more than the call: its numbers are small, and its pointer says that it is one."""


def _call(number: int, a: int, b: int, c: int = 0, d: int = 0, e: int = 0, f: int = 0) -> int:
    """Raises OSError."""
    result: int = _syscall(number, a, b, c, d, e, f)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def address_of(memory: bytearray | mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


class Ring:
    """`entries` submissions are handed over at once; `buffers` of `size` bytes each. Their numbers are powers of two.

    `pushed`: submissions, 64 bytes each and perhaps in pieces, for the next call. `memory`: the buffers, one after the
    other. Raises OSError where the kernel has no io_uring, forbids it, or lacks a flag (EINVAL).
    """

    def __init__(self, entries: int, buffers: int, size: int) -> None:
        parameters = bytearray(_PARAMS.size)
        _PARAMS.pack_into(parameters, 0, 0, entries * 4, _SETUP_FLAGS, *[0] * 22)
        self.pushed: list[bytes | bytearray] = []
        self.fd = _call(SETUP, entries, address_of(parameters))
        self._open: list[memoryview | mmap.mmap] = []
        try:
            self._map(_PARAMS.unpack(parameters))
            self._lay_out(buffers, size)
        except BaseException:
            self.close()
            raise

    def _map(self, parameters: tuple[int, ...]) -> None:
        """IORING_FEAT_SINGLE_MMAP: both rings lie in one piece of memory (since Linux 5.4)."""
        entries, completions = parameters[:2]
        head, tail, mask, _entries, _flags, _dropped, array = parameters[7:14]
        cq_head, cq_tail, cq_mask, _, _, cqes = parameters[16:22]
        rings = mmap.mmap(self.fd, max(array + 4 * entries, cqes + _COMPLETION.size * completions), offset=0)
        words = memoryview(rings).cast("I")
        self._sqes = mmap.mmap(self.fd, 64 * entries, offset=0x10000000)
        self._open += [words, rings, self._sqes]
        self._rings, self._words = rings, words
        self._entries, self._mask = entries, words[mask // 4]
        self._head_at, self._tail_at = head // 4, tail // 4
        self._cq_head_at, self._cq_tail_at, self._cq_mask, self._cqes = (
            cq_head // 4,
            cq_tail // 4,
            words[cq_mask // 4],
            cqes,
        )
        for slot in range(entries):
            words[array // 4 + slot] = slot
        self._end = 64 * entries
        self._left = 0  # submissions in the ring that the kernel did not take
        self._tail, self._seen = words[self._tail_at], words[self._cq_head_at]
        self._argument = bytearray(_ARGUMENT.size)
        self._timespec = bytearray(_TIMESPEC.size)
        self._argument_at = ctypes.c_void_p(address_of(self._argument))
        _ARGUMENT.pack_into(self._argument, 0, 0, 0, 0, address_of(self._timespec))

    def _lay_out(self, buffers: int, size: int) -> None:
        private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._slots = mmap.mmap(-1, 16 * buffers, private)
        self.memory = mmap.mmap(-1, size * buffers, private)
        self._open += [self._slots, self.memory]
        self.size = size
        self._base = address_of(self.memory)
        registration = bytearray(struct.pack("=QIHH24x", address_of(self._slots), buffers, _GROUP, 0))
        _call(REGISTER, self.fd, _REGISTER_PBUF_RING, address_of(registration), 1)
        for number in range(buffers):
            self.refill(number, number)
        self.give_back(buffers)

    # --- submitting and waiting ---

    def flush(self) -> None:
        """Hand over what was pushed, and let everything that is due come to its completion, without waiting."""
        self._enter(0, None)

    def wait(self, timeout_ns: int | None) -> Iterator[tuple[int, int, int]]:
        """Hand over what was pushed, wait for one completion at least; (token, result, flags) of what is complete.

        Nothing at the timeout; None waits for ever. It may end early with nothing: after a signal, or where more was
        pushed than the ring holds. What comes while the completions are looked at is for the next call.
        """
        self._enter(0 if timeout_ns == 0 else 1, timeout_ns)
        head, tail = self._seen, self._words[self._cq_tail_at]
        if head == tail:
            return iter(())
        self._seen = self._words[self._cq_head_at] = tail
        first, last = head & self._cq_mask, tail & self._cq_mask
        if first < last:
            complete = self._rings[self._cqes + first * 16 : self._cqes + last * 16]
        else:  # around the end
            start, end = self._cqes, self._cqes + (self._cq_mask + 1) * 16
            complete = self._rings[start + first * 16 : end] + self._rings[start : start + last * 16]
        return _COMPLETION.iter_unpack(complete)

    def _enter(self, at_least: int, timeout_ns: int | None) -> None:
        waiting = self._publish() if self.pushed or self._left else 0
        if self.pushed:
            at_least = 0
        if at_least and timeout_ns is not None:
            _TIMESPEC.pack_into(self._timespec, 0, *divmod(timeout_ns, 1_000_000_000))
            taken = _enter(ENTER, self.fd, waiting, 1, _ENTER_GETEVENTS | _ENTER_EXT_ARG, self._argument_at, _SIZE)
        else:
            taken = _enter(ENTER, self.fd, waiting, at_least, _ENTER_GETEVENTS, None)
        if taken < 0:
            code = ctypes.get_errno()
            if code not in _PASSING:
                raise OSError(code, os.strerror(code))
            taken = 0
        self._left = waiting - taken

    def _publish(self) -> int:
        """What was pushed goes into the ring as far as there is room; -> how many the kernel is to take."""
        pushed = b"".join(self.pushed)
        self.pushed.clear()
        room = (self._entries - self._left) << 6
        if len(pushed) > room:
            self.pushed.append(pushed[room:])
            pushed = pushed[:room]
        at, count = (self._tail & self._mask) << 6, len(pushed) >> 6
        end = at + len(pushed)
        if end <= self._end:
            self._sqes[at:end] = pushed
        else:  # around the end
            self._sqes[at:] = pushed[: self._end - at]
            self._sqes[: end - self._end] = pushed[self._end - at :]
        self._tail = self._words[self._tail_at] = (self._tail + count) & _MASK32
        return self._left + count

    def refill(self, slot: int, number: int) -> None:
        """The buffer that goes into a slot next is not the one that is there."""
        _SLOT.pack_into(self._slots, slot * 16, self._base + number * self.size, self.size, number)

    def give_back(self, returned: int) -> None:
        """So many buffers were given back since the beginning, each in the next slot."""
        _TAIL.pack_into(self._slots, _TAIL_AT, returned & 0xFFFF)

    def close(self) -> None:
        for memory in self._open:
            if isinstance(memory, memoryview):
                memory.release()
        os.close(self.fd)
        for memory in self._open:
            if isinstance(memory, mmap.mmap):
                memory.close()
