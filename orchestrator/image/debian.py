"""A base image from Debian's packages, for machines that reach no registry: mmdebstrap(1), docker-import(1)."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path

from orchestrator.image.external import need, run, works

SUITE = "bookworm"
PACKAGES = "python3.11,libc-bin,busybox-static,dash,iproute2,nftables,ca-certificates"
"""dash, since busybox's own shell prefers its applets, a tc among them, to what is on PATH."""

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Packages are unpacked and not configured: that would need dpkg's own world in the image, twice the size.
HOOK = r"""set -e; r="$1"
chroot "$r" /bin/busybox --install -s /bin
ln -sf python3.11 "$r/usr/bin/python3"
chroot "$r" /sbin/ldconfig
mkdir -p "$r/etc" "$r/root" "$r/tmp" "$r/proc" "$r/sys" "$r/dev"
chmod 1777 "$r/tmp"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$r/etc/passwd"
printf 'root:x:0:\n' >"$r/etc/group"
for d in test idlelib lib2to3 pydoc_data ensurepip; do rm -rf "$r/usr/lib/python3.11/$d"; done
for d in doc man locale info perl5 zoneinfo keyrings lintian; do rm -rf "$r/usr/share/$d"; done
rm -rf "$r"/usr/lib/*-linux-gnu/gconv "$r"/usr/lib/*-linux-gnu/perl-base "$r"/usr/bin/perl*
chroot "$r" /usr/bin/python3.11 -m compileall -q /usr/lib/python3.11
"""

BASE = f"faultbed-base:{SUITE}-{sha256((PACKAGES + HOOK).encode()).hexdigest()[:8]}"
"""Another recipe makes another image."""


def make_base() -> str:
    """-> the image's name; it is made once, and kept. Raises SessionError: mmdebstrap is missing, or failed."""
    if works(["docker", "image", "inspect", BASE]):
        return BASE
    need("mmdebstrap", "`apt-get install mmdebstrap` brings it, or name an image to start from: `--base IMAGE`")
    with tempfile.TemporaryDirectory(prefix="faultbed-base-") as folder:
        archive = str(Path(folder) / "base.tar")
        options = ("--variant=extract", f"--include={PACKAGES}", f"--extract-hook={HOOK}")
        run(["mmdebstrap", "--quiet", *options, SUITE, archive], "making the base from Debian's packages")
        run(["docker", "import", "--change", f"ENV {PATH}", archive, BASE], f"importing the base as {BASE}")
    return BASE
