"""Whether this machine can filter packets in the namespaces of nodes: for `doctor`, and before anything is started."""

from __future__ import annotations

from chaos.faults.packets import Loss, Reject
from chaos.planes.packet import nft, tc
from chaos.planes.packet.entering import execute, may_enter
from chaos.planes.packet.mechanism import Flow
from chaos.planes.packet.namespace import NamespaceError

_PRIVILEGE = "needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run as root"
_FLOW = Flow("client -> server", "tcp", "client", "server", 1)
_ADDRESSES = {"client": "192.0.2.1", "server": "192.0.2.2"}  # RFC 5737, for documentation


def netfilter() -> str | None:
    """Why not, and what to do; None if it can. Tried in a namespace that is gone when this returns."""
    if not may_enter():
        return _PRIVILEGE
    try:
        execute(["unshare", "--net", *nft.COMMAND], _sample(), "a new network namespace")
    except NamespaceError as error:
        return f"nftables does not work: {error}"
    return None


def netem() -> str | None:
    """Why this kernel shapes no packets by sch_netem, and what to do; None if it does. Tried as above."""
    if not may_enter():
        return _PRIVILEGE
    try:
        execute(["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem"], "", "a new network namespace")
    except NamespaceError as error:
        return f"sch_netem does not work: {error}; it needs a kernel with CONFIG_NET_SCH_NETEM (modprobe sch_netem)"
    return None


def netem_seed() -> str | None:
    """Why what netem does is another thing in each run, whatever the scenario's seed; None if it is the same."""
    try:
        version, release = (execute(list(command), "", "this machine") for command in (tc.VERSION, tc.RELEASE))
    except NamespaceError as error:
        return str(error)
    if tc.takes_seed(version, release):
        return None
    return f"a seed needs Linux and iproute2 from 6.6 on, and here are Linux {release.strip()}, {version.strip()}"


def _sample() -> str:
    """A rule with everything that ours are made of."""
    loss = nft.clauses(Loss(link=_FLOW.link, loss="both", every=2), _FLOW, _ADDRESSES)
    chance = nft.clauses(Loss(link=_FLOW.link, loss="both", probability=0.5), _FLOW, _ADDRESSES)
    reset = nft.clauses(Reject(link=_FLOW.link, reject="rst"), _FLOW, _ADDRESSES)
    return nft.install(0, [*loss, *chance, *reset])
