"""Checks of where BIRD, hey and nft come from: this machine's mirror of Debian's packages.

They matter only until the programs are in the cache.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from calico_lab.errors import LabError
from calico_lab.local.doctor.finding import Finding
from calico_lab.local.doctor.machine import Machine
from calico_lab.local.start import debian, programs
from calico_lab.local.start.debian import FALLBACK_SUITE, PACKAGES, Source

MIRROR = "apt mirror"
BIRD = "bird in this suite"
_ASKED = ("bird", "nftables")
_FETCH_ELSEWHERE = "copy {cache} from a machine like this one where `calico-lab fetch` worked"


def mirror(machine: Machine) -> Finding:
    """Check that this machine has apt, and that its sources name a mirror of its own release."""
    if machine.program("apt-get") is None or machine.program("dpkg-deb") is None:
        return Finding(
            MIRROR,
            problem="there is no apt-get, with which BIRD, hey and nft are fetched",
            remedy="use Debian 12 or 13 or Ubuntu 24.04, or " + _FETCH_ELSEWHERE.format(cache=machine.cache),
        )
    release = programs.os_release(machine.root / "etc/os-release")
    codename = release.get("VERSION_CODENAME", "")
    sources = debian.machine_sources(codename, machine.root / "etc/apt")
    if sources:
        return Finding(MIRROR, version=codename, where=sources[0].address)
    return Finding(
        MIRROR,
        version=codename,
        problem=f"apt's sources name no mirror of this release, {codename or 'which is unknown'}",
        remedy=f"name one in /etc/apt/sources.list: deb MIRROR {codename or 'SUITE'} main",
    )


def bird(codename: str, policies: dict[str, str]) -> Finding:
    """Check that BIRD is to be had; ``policies`` are apt's answers about each suite that was looked at, in order.

    They are about bird and nftables: that one is in every suite, and shows whether apt could read anything at all.
    """
    wanted = f" {PACKAGES['bird']}"
    having = [suite for suite, policy in policies.items() if wanted in policy]
    if having:
        taken = "" if having[0] == codename else f" (not in {codename}: it is taken from {having[0]})"
        return Finding(BIRD, PACKAGES["bird"], having[0] + taken)
    if not any(" Packages" in policy for policy in policies.values()):
        return Finding(
            BIRD,
            problem="apt could not read this machine's mirror",
            remedy="check this machine's network and proxy: sudo apt update",
        )
    return Finding(
        BIRD,
        problem=f"bird {PACKAGES['bird']} is neither in {' nor in '.join(policies)} of this machine's mirror",
        remedy=f"name a mirror of Debian's {FALLBACK_SUITE} in /etc/apt/sources.list, then: calico-lab fetch",
    )


def ask_mirror(machine: Machine) -> Finding:
    """Ask the mirror whether it has BIRD, as fetching it would; takes some seconds."""
    codename = programs.os_release(machine.root / "etc/os-release").get("VERSION_CODENAME", "")
    sources = debian.machine_sources(codename, machine.root / "etc/apt")
    fallback = [Source(source.address, FALLBACK_SUITE, ("main",), source.signed_by) for source in sources[:1]]
    folder = Path(tempfile.mkdtemp(prefix="calico-lab-"))
    try:
        policies = {codename: debian.policy(folder / "own", sources, _ASKED)}
        if codename != FALLBACK_SUITE and not bird(codename, policies).well:
            policies[FALLBACK_SUITE] = debian.policy(folder / "fallback", fallback, _ASKED)
    except (LabError, OSError) as error:
        return Finding(BIRD, problem=str(error), remedy="check this machine's network and proxy: sudo apt update")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return bird(codename, policies)
