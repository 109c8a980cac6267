"""PURE: the vocabulary of faults. One value per fault of a scenario; the names are the scenario's keys.

Which plane performs a fault is in chaos/supports.py; what `partition` and `rate` do depends on what their link goes
through. Durations are milliseconds unless a field says otherwise. Triggers are strings, "<subject> <event>
[<number>]": "server ready 2" (epoch), "server down 1" (epoch), "client gate 5", "client attempt 5", "client ok 5"
(operation), "healed", and, for a fault with a name, "<name> on" and "<name> off".
"""

from __future__ import annotations

from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Truncate
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Split
from chaos.faults.paths import Partition, Rate
from chaos.faults.processes import Kill, Pause
from chaos.faults.streams import Bandwidth, Down, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout

RelayFault = Drop | Duplicate | Reorder | Hold | Delay | Corrupt | Truncate | Cut | Partition | Rate
ToxicFault = Latency | Bandwidth | SlowClose | Timeout | ResetPeer | Slicer | LimitData | Down
PacketFault = Loss | Partition | Split | Reject | Blackhole | Netem | Rate
Fault = RelayFault | ToxicFault | PacketFault | Kill | Pause
