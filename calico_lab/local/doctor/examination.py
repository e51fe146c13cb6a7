"""All checks together: every one of them for ``calico-lab doctor``, those that take no time before each start."""

from __future__ import annotations

from collections.abc import Iterable

from calico_lab.errors import MissingProgramError, UnsupportedHostError
from calico_lab.local.doctor import kernel, room, software
from calico_lab.local.doctor.attempt import attempt
from calico_lab.local.doctor.finding import Finding
from calico_lab.local.doctor.machine import Machine
from calico_lab.local.start import programs


def examine(machine: Machine | None = None) -> list[Finding]:
    """Look at everything, and ask each program for its version."""
    from calico_lab.local.doctor import packages

    machine = machine or Machine()
    first = kernel.system(machine)
    if machine.platform != "linux":
        return [first]
    paths = programs.locate()
    interpreter = software.Interpreter.current()
    software_found = software.answers(paths)
    origin: list[Finding] = []
    if any(not finding.well and finding.remedy == "calico-lab fetch" for finding in software_found):
        origin.append(packages.mirror(machine))
        origin += [packages.ask_mirror(machine)] if origin[0].well else []
    else:
        origin.append(Finding(packages.MIRROR, where="not needed: all is in the cache", essential=False))
    return [
        *[first, *_can_live(machine), software.lent_to_lessons(machine)],
        *[software.python(interpreter), software.environment(interpreter), *software_found, *origin],
        *_has_room(machine, fetched=programs.unpacked_folder().exists()),
    ]


def require_able() -> None:
    """Raise ``UnsupportedHostError`` or ``MissingProgramError`` when a lab cannot run here, in the doctor's words."""
    machine = Machine()
    paths = programs.locate()
    missing = [finding for finding in software.files(paths) if not finding.well]
    first = kernel.system(machine)
    found = [first, *_can_live(machine), *_has_room(machine, fetched=not missing)] if first.well else [first]
    _refuse(found, UnsupportedHostError)
    _refuse([software.python(software.Interpreter.current()), *missing], MissingProgramError)


def _can_live(machine: Machine) -> list[Finding]:
    refusal = attempt()
    return [
        kernel.user_namespaces(machine, refusal),
        kernel.kernel_views(machine, refusal),
        room.devices(machine),
        software.lent(machine),
    ]


def _has_room(machine: Machine, *, fetched: bool) -> list[Finding]:
    cache_needed = 0 if fetched else room.CACHE_NEEDED
    return [
        room.memory(machine),
        room.folder("state folder", machine.state, room.STATE_NEEDED, "XDG_STATE_HOME"),
        *([] if fetched else [room.folder("cache folder", machine.cache, cache_needed, "XDG_CACHE_HOME")]),
        room.loopback(),
    ]


def _refuse(found: Iterable[Finding], kind: type[UnsupportedHostError | MissingProgramError]) -> None:
    bad = [finding for finding in found if finding.essential and not finding.well]
    if bad:
        remedies = list(dict.fromkeys(finding.remedy for finding in bad))
        problems = "\n".join(f"{finding.part}: {finding.problem}" for finding in bad)
        raise kind(problems, remedy="\n      ".join(remedies))
