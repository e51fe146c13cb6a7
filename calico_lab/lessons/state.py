"""The state that a lesson begins in: after a named step of the guide, whatever was there before.

A lab that is the learner's own announces how it is made fresh, in its kubeconfig, and then the guide's steps are taken
in it. Elsewhere load balancer pools, BGP and the Gateway API belong to everybody: there the prerequisites are only
looked at, and of what is in the learner's namespace only the demo's own objects are deleted and created.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass

from calico_lab.errors import LabError, PrerequisiteError
from calico_lab.lab import Lab
from calico_lab.lessons import waits
from calico_lab.lessons.counts import BACKEND
from calico_lab.lessons.steps import DEMO, FRESH, GATEWAY, Step, perform, take, upto

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


def begin(lab: Lab, target: str) -> Begun:
    """Bring the lab to the state after the step ``target``; see :meth:`calico_lab.lab.Lab.begin`."""
    wanted = upto(target)
    if lab.may_change_shared_things:
        _make_fresh(lab)
        if wanted:
            take(lab, target, lambda _title: None, fresh=True)
    else:
        _begin_among_others(lab, wanted)
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


def _begin_among_others(lab: Lab, wanted: list[Step]) -> None:
    shared = {step.name for step in upto("prerequisites")}
    missing = [step for step in wanted if step.name in shared and not step.holds(lab)]
    if missing:
        listed = "\n".join(f"  - {step.title}   (look: {step.look})" for step in missing)
        raise PrerequisiteError(
            f"the cluster {lab.name!r} is not a lab to be changed without asking, and lacks:\n{listed}",
            remedy="do the guide's step for each of these yourself, then run this cell again",
        )
    _remove_demo(lab)
    own = [step for step in wanted if step.name not in shared]
    perform(lab, own)
    for step in own:
        step.settle(lab)


def _remove_demo(lab: Lab) -> None:
    for kind, name in DEMO:
        lab.cluster.delete(kind, name, missing_ok=True)
    owner = f"gateway.envoyproxy.io/owning-gateway-namespace={lab.cluster.kubeconfig.namespace}"

    def is_gone() -> bool:
        pods = lab.cluster.list("Pod", labels=BACKEND)
        envoys = lab.cluster.list("Pod", labels=f"{_GATEWAY_PODS},{owner}", all_namespaces=True)
        return not pods and not envoys

    waits.until(is_gone, "nothing is left of an earlier demo", remedy="the guide's section Clean-up", shown=False)
