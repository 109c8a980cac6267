"""`faultbed agent`: starts processes on its host for orchestrators elsewhere, and ends them with their orchestrator.

An orchestrator opens one control connection (nodes/control.py, the agent is its listener); it is a session, with a
supervisor process and a private folder of its own. Both are gone when the connection is. Commands, each answered:

    hello {}                                     -> {session, version, os, engines, planes, domain, reached}
    clock {}                                     -> {received, sent}      nanoseconds of the agent's clock
    open {cell}                                  -> {}                    a folder for one cell's evidence
    spawn {cell, name, role, epoch, engine, files, token}    -> {}        token is veiled (protocol.py); `arguments`
                                                                          too, of a part that is no process of a cell
    signal {cell, name, epoch, signal}           -> {}
    archive {cell, name}                         -> {}                    set a node's ledger aside
    list {cell, names}                           -> {files: {file: bytes}}
    read {cell, file, offset}                    -> {data}
    close {cell}                                 -> {}                    its folder is removed

and, unasked, {"type": "report", cell, name, epoch, ...}: what became of a process (protocol.py).

The processes' own control endpoints stay on the loopback of the agent's host. A second connection that proves the
token and says {"type": "tunnel", session, cell, name, epoch} is joined to one of them; if it cannot be, it gets the
{"refused": reason} of the control protocol.
"""
