"""PURE: the labels that say whose a container, network or volume is."""

from __future__ import annotations

from typing import NamedTuple

RUN = "org.faultbed.run"
ORCHESTRATOR = "org.faultbed.orchestrator"
PLACE = "org.faultbed.place"
"""Where the orchestrator's process id counts: a host's name and a pid namespace. Another one's are not judged here."""


BUILDER = "org.faultbed.builder"
"""Of an image, orchestrator and place in one: a container inherits its image's labels, and who starts one of an image
that a run has built, under a name of their own, must not be taken for the run."""


class Owner(NamedTuple):
    """The run that something was made for, and the orchestrator, "pid:born", that has to remove it."""

    run: str
    orchestrator: str
    place: str

    def labels(self) -> dict[str, str]:
        return {RUN: self.run, ORCHESTRATOR: self.orchestrator, PLACE: self.place}

    def of_image(self) -> dict[str, str]:
        return {RUN: self.run, BUILDER: f"{self.orchestrator} {self.place}"}


def owner(labels: dict[str, str]) -> Owner | None:
    """Whose it is; None for what is not ours, or was not labelled by an orchestrator."""
    if RUN not in labels or ORCHESTRATOR not in labels:
        return None
    return Owner(labels[RUN], labels[ORCHESTRATOR], labels.get(PLACE, ""))


def builder(labels: dict[str, str]) -> Owner | None:
    """Whose an image is; None for what was not built for a run, or is to be kept."""
    if RUN not in labels or BUILDER not in labels:
        return None
    orchestrator, _, place = labels[BUILDER].partition(" ")
    return Owner(labels[RUN], orchestrator, place)
