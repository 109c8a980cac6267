"""The journal's record: what a node can say about itself, and its bytes.

A record is length (u32, big-endian), CRC-32 of the payload (u32), payload. The payload is the msgpack array
[time, kind, client, seq, attempt, process, detail]; time in nanoseconds, detail a map or nil.
"""

from __future__ import annotations

from enum import IntEnum

SCHEMA = 1


class Kind(IntEnum):
    """Event kinds. The names in brackets are the keys of `detail`."""

    # every process
    START = 1  # [schema node epoch role engine domain evidence pid incarnation history]
    READY = 2  # [addresses]
    STOP = 3
    FAILPOINT = 4  # [name] fired; the process dies or stops directly after this record
    BROKEN = 5  # [reason size connection] a message that does not decode

    # clients
    INVOKE = 10  # [intent f value]
    OK = 11  # [value]
    FAIL = 12  # [error]
    INFO = 13  # [error]
    ATTEMPT = 14  # before this attempt connects or sends anything
    SEND = 15  # [connection server] directly before its first byte is handed to the transport
    REPLY = 16  # [status value connection] a reply to this attempt arrived, wanted or not
    END = 17  # [connection error] the connection ended while this attempt was open
    UNCONNECTED = 18  # [error] connecting for this attempt failed
    GATE = 19  # [gate] reached; the client waits for its release
    SESSION = 20  # [incarnation history lease] hello was answered

    # servers
    RECEIVE = 30  # [connection first server link] a copy of a call was received and decoded
    EXECUTE = 31  # [intent f value] the procedure is entered
    COMMIT = 32  # [n result] its transaction is committed
    ANSWER = 33  # [status value] this attempt is being answered
    TRIM = 34  # [mark] results of this client below mark were forgotten

    # relays
    DECISION = 50  # [link direction occurrence connection rule act] act is 'pass' where no rule applied
    RELEASE = 51  # [link direction occurrence rule act] a held, delayed or copied message went on
    RULE = 52  # [rule active] a rule was switched
    UPSTREAM = 53  # [link up epoch]

    # the orchestrator
    PHASE = 60  # [phase]
    ACT = 61  # [act node epoch fault trigger] kill, pause, resume, restart, archive
    REAPED = 62  # [node epoch signal code]

    # collected after draining
    EFFECT = 70  # [n intent epoch result ledger] a row of a ledger
