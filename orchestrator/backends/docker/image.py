"""The image in which nodes, relay and agents run in containers: its name, its label, and whether the engine has it."""

from __future__ import annotations

from importlib.metadata import version

import docker

from orchestrator.backends.code_digest import digest
from orchestrator.run.session import SessionError

VERSION_LABEL = "org.faultbed.version"
"""The image's label that says which version of Faultbed is in it."""

CODE_LABEL = "org.faultbed.code"
"""The label with the digest of the code in it. Empty where `docker build` made the image, which cannot know it."""

REMEDY = "run `faultbed image build` (or `faultbed image build --base debian` where no registry can be reached)"


def image_name() -> str:
    """The image of this version, such as "faultbed:0.1.0"."""
    return f"faultbed:{version('faultbed')}"


def check_image(client: docker.DockerClient, name: str) -> None:
    """Raises SessionError, with the remedy, if the engine has no image of this name, or one of other code."""
    from orchestrator.backends.docker.engine import Missing, asking  # that package needs this one

    try:
        with asking(f"look for the image {name}"):
            labels = client.images.get(name).labels
    except Missing:
        raise SessionError(f"the engine has no image {name}: {REMEDY}") from None
    found, wanted = labels.get(VERSION_LABEL), version("faultbed")
    if found != wanted:
        told = f"Faultbed {found}" if found else f"no Faultbed (it has no label {VERSION_LABEL})"
        raise SessionError(f"image {name} contains {told}, this is Faultbed {wanted}: {REMEDY}")
    code = labels.get(CODE_LABEL)
    if code and code != digest():
        raise SessionError(f"image {name} contains other code of Faultbed {wanted} than is installed here: {REMEDY}")
