"""`faultbed image`: the image for nodes in containers."""

from __future__ import annotations

import time

import click

from orchestrator.commands.endings import say


@click.group()
def image() -> None:
    """The image in which nodes run in containers."""


@image.command()
@click.option(
    "--base",
    metavar="IMAGE",
    help="Start from this image, which must have Python 3.11 or newer; `debian` makes one from Debian's packages, "
    "where no registry can be reached.  [default: the Dockerfile's]",
)
@click.option("--tag", metavar="NAME", help="The image's name.  [default: faultbed:VERSION]")
def build(base: str | None, tag: str | None) -> None:
    """Build the image from the installed version."""
    from orchestrator.backends.docker.image import image_name
    from orchestrator.image.build import build as built

    begun = time.monotonic()
    name = tag or image_name()
    size = built(base, name, say)
    say(f"{name}: {size / 1e6:.0f} MB, {time.monotonic() - begun:.0f} s")
