"""The state that a lesson begins in: after a named step of the guide, whatever was there before.

A lab that is the learner's own announces how it is made fresh, in its kubeconfig, and then the guide's steps are taken
in it. Elsewhere load balancer pools, BGP and the Gateway API belong to everybody: there the prerequisites are only
looked at, unless somebody says yes to making what is missing. Of what is in the learner's namespace only the demo's own
objects are deleted and created.
"""

from __future__ import annotations

import shlex
import subprocess
import textwrap
from dataclasses import dataclass

from calico_lab.errors import CalicoLabError, LabError, PrerequisiteError
from calico_lab.lab import Lab
from calico_lab.lessons import checks, import_filter, waits
from calico_lab.lessons.checks.bird import CONFIGURATION
from calico_lab.lessons.counts import BACKEND
from calico_lab.lessons.steps import BEYOND, DEMO, FRESH, GATEWAY, IMPORT_FILTER, Step, manifest, perform, take, upto

RESET_SECONDS = 60.0
_GATEWAY_PODS = f"gateway.envoyproxy.io/owning-gateway-name={GATEWAY}"


@dataclass(frozen=True, repr=False)
class Begun:
    """The steps of the guide that have been taken, by their titles; the last one's name."""

    step: str
    titles: tuple[str, ...]

    def __repr__(self) -> str:
        if not self.titles:
            return "A fresh start: nothing of the demo is there"
        return "\n".join((f"The lab stands after the step {self.step}:", *(f"✓ {title}" for title in self.titles)))

    def _repr_html_(self) -> str:
        if not self.titles:
            return f"<p>{self!r}.</p>"
        listed = "".join(f"<li>{title}</li>" for title in self.titles)
        return f"<p>The lab stands after the step <b>{self.step}</b>:</p><ul style='list-style: \"✓ \"'>{listed}</ul>"


def begin(lab: Lab, target: str, *, yes: bool = False) -> Begun:
    """Bring the lab to the state after the step ``target``; see :meth:`calico_lab.lab.Lab.begin`."""
    wanted = upto(target)
    if lab.may_change_shared_things:
        _make_fresh(lab)
        if wanted:
            take(lab, target, lambda _title: None, fresh=True)
    else:
        _begin_among_others(lab, wanted, yes)
    return Begun(target, tuple(step.title for step in wanted))


def reset(lab: Lab) -> Begun:
    """Make the lab fresh; see :meth:`calico_lab.lab.Lab.reset`."""
    if not lab.may_change_shared_things:
        raise LabError(
            f"the cluster {lab.name!r} is not a lab of your own, to be emptied",
            remedy='lab.begin("prerequisites")   deletes what the demo has left in your namespace',
        )
    return begin(lab, FRESH)


def _make_fresh(lab: Lab) -> None:
    """Run the command that the kubeconfig announces, as kubectl runs those that make a user's credentials."""
    command = lab.kubeconfig.lab.get("reset", "")
    if not command:
        raise LabError(
            f"the lab {lab.name!r} was started by an older version of this package", remedy="calico-lab reset"
        )
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=RESET_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"the lab {lab.name!r} cannot be reset: {error}", remedy=command) from None
    if done.returncode:
        raise LabError(f"the lab {lab.name!r} cannot be reset: {done.stderr.strip()}", remedy=command)
    lab.renew()


def _begin_among_others(lab: Lab, wanted: list[Step], yes: bool) -> None:
    shared = {step.name for step in upto("prerequisites")}
    missing = [step for step in wanted if step.name in shared and not (step.holds(lab) or checks.check(lab, step.name))]
    if missing and not yes:
        listed = "\n".join(f"  - {step.title}   (look: {step.look})\n{_would_change(lab, step)}" for step in missing)
        raise PrerequisiteError(
            f"the cluster {lab.name!r} is not a lab to be changed without asking, and lacks:\n{listed}",
            remedy=f"take these steps yourself and run this cell again, or say yes to all: "
            f"lab.begin({wanted[-1].name!r}, yes=True)",
        )
    for step in missing:
        _take_among_others(lab, step)
    _remove_demo(lab)
    own = [step for step in wanted if step.name not in shared]
    perform(lab, own)
    for step in own:
        step.settle(lab)


def _would_change(lab: Lab, step: Step) -> str:
    """Return, indented, what taking a step would change for others."""
    try:
        if step.name == IMPORT_FILTER:
            told = f"the bastion's {CONFIGURATION}:\n{import_filter.planned(lab).difference}"
        elif step.command:
            told = f"on the bastion: {step.command}"
        else:
            told = "\n".join(map(repr, lab.cluster.shared_changes(manifest(step.name))))
    except CalicoLabError as error:
        told = error.problem
    return textwrap.indent(told, " " * 6)


def _take_among_others(lab: Lab, step: Step) -> None:
    """Take a step to which somebody has said yes, and wait until it works."""
    if step.name == IMPORT_FILTER:
        import_filter.accept(lab, yes=True)
    elif step.command:
        lab.bastion.run(step.command)
    else:
        lab.cluster.apply(manifest(step.name), yes=True)
    waits.until(lambda: bool(checks.check(lab, step.name)), step.title, remedy=f"lab.check({step.name!r})")


def _remove_demo(lab: Lab) -> None:
    for kind, name in (*DEMO, *BEYOND):
        lab.cluster.delete(kind, name, missing_ok=True)
    owner = f"gateway.envoyproxy.io/owning-gateway-namespace={lab.cluster.kubeconfig.namespace}"

    def is_gone() -> bool:
        pods = lab.cluster.list("Pod", labels=BACKEND)
        envoys = lab.cluster.list("Pod", labels=f"{_GATEWAY_PODS},{owner}", all_namespaces=True)
        return not pods and not envoys

    waits.until(is_gone, "nothing is left of an earlier demo", remedy="the guide's section Clean-up", shown=False)
