"""Becomes the program given as arguments, for which ptrace(2) knows no extended registers (NT_X86_XSTATE).

User-Mode Linux 6.1 keeps them in a space too small for a CPU with AMX, and panics: "ptrace set fp regs failed". Where
the machine says that it has none, it takes the registers that every CPU has.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
SECCOMP_RET_ALLOW = 0x7FFF0000
SECCOMP_RET_ERRNO = 0x00050000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
PTRACE = 101
PTRACE_GETREGSET = 0x4204
NT_X86_XSTATE = 0x202
NUMBER, FIRST, THIRD = 0, 16, 32
"""Where struct seccomp_data has the call's number and, their lower halves, its arguments (seccomp(2))."""


def refuse_extended_registers() -> None:
    """Raises OSError."""
    wanted = [(NUMBER, PTRACE), (FIRST, PTRACE_GETREGSET), (THIRD, NT_X86_XSTATE)]
    code = []
    for index, (offset, value) in enumerate(wanted):
        rest = 2 * (len(wanted) - index - 1)
        code += [(LOAD, 0, 0, offset), (EQUAL, 0, rest + 1, value)]
    code += [(RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.EIO), (RETURN, 0, 0, SECCOMP_RET_ALLOW)]
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    program = ctypes.create_string_buffer(struct.pack("H6xP", len(code), ctypes.addressof(instructions)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP)")


if platform.machine() == "x86_64":
    refuse_extended_registers()
os.execvp(sys.argv[1], sys.argv[1:])
