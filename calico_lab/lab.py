"""The one object that a notebook holds: a cluster, and a bastion from which to look at it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from calico_lab import kubeconfig as kubeconfigs
from calico_lab.bastion import Bastion
from calico_lab.cluster import Cluster
from calico_lab.host import Host
from calico_lab.kubeconfig import Kubeconfig

if TYPE_CHECKING:
    from calico_lab.lessons.checks import Verdict, Verdicts
    from calico_lab.lessons.state import Begun
    from calico_lab.views.envoy_pieces import EnvoyPieces
    from calico_lab.views.guide_progress import GuideProgress
    from calico_lab.views.playground import Playground


class Lab:
    """``lab.cluster`` speaks with the API server, ``lab.bastion`` runs commands on the bastion."""

    def __init__(self, kubeconfig: Kubeconfig, bastion: str | None = None) -> None:
        self.kubeconfig = kubeconfig
        self.cluster = Cluster(kubeconfig)
        self._named_bastion = bastion
        self._nodes: dict[str, Host] = {}

    @property
    def name(self) -> str:
        """The lab's name, or that of the kubeconfig's context."""
        return self.kubeconfig.name

    @property
    def may_change_shared_things(self) -> bool:
        """Whether this cluster announces itself as a lab of the learner's own, with nothing in it to be careful of."""
        return bool(self.kubeconfig.lab)

    @cached_property
    def bastion(self) -> Bastion:
        """The bastion; raises ``NoBastionError`` when nothing says where it is."""
        announced = self.kubeconfig.lab.get("ssh_config")
        return Bastion.find(Path(announced) if announced else None, named=self._named_bastion)

    def node(self, name: str) -> Host:
        """Return a node of a lab of one's own, to run commands on.

        Raises ``LabError`` when there is no such node; and on another cluster, with what to do there instead.
        """
        from calico_lab import node

        if name not in self._nodes:
            self._nodes[name] = node.find(self.kubeconfig, name)
        return self._nodes[name]

    def begin(self, step: str, *, yes: bool = False) -> Begun:
        """Bring the lab to the state after a step of the guide, whatever its state is: the first cell of a lesson.

        ``step`` is the name of one (``calico-lab steps`` lists them), ``"prerequisites"``, or ``"fresh"`` for none.
        In a lab of one's own that is a reset and the steps; on another cluster the prerequisites are looked at, and
        only the demo's objects in the learner's namespace are deleted and made anew. Raises ``StepError`` when there
        is no such step, ``PrerequisiteError`` with all that another cluster lacks and what would change there, which
        is done with ``yes``; ``WaitTimeout`` when something does not come about.
        """
        from calico_lab.lessons import state

        return state.begin(self, step, yes=yes)

    def reset(self) -> Begun:
        """Make the lab as fresh as after its start. Raises ``LabError`` on a cluster that is not a lab of one's own."""
        from calico_lab.lessons import state

        return state.reset(self)

    def playground(self) -> Playground:
        """Return a panel to try load balancing with, in the lab as it stands after the step ``route``."""
        from calico_lab.views.playground import Playground

        return Playground(self)

    def envoy(self, kind: str, name: str, namespace: str | None = None) -> EnvoyPieces:
        """Show what a Gateway, a route, a policy or a Backend made in Envoy's configuration.

        Raises ``NotFound`` when there is no such object, ``ReportError`` for a kind that makes nothing there.
        """
        from calico_lab.views.envoy_pieces import EnvoyPieces

        return EnvoyPieces.of(self, kind, name, namespace)

    def renew(self) -> None:
        """Forget what was learned of the cluster, and the connections to it: another may stand in its place."""
        self.cluster = Cluster(self.kubeconfig)
        if "bastion" in vars(self):
            self.bastion.close()
        for node in self._nodes.values():
            node.close()

    @overload
    def check(self) -> Verdicts: ...

    @overload
    def check(self, step: str) -> Verdict: ...

    def check(self, step: str = "") -> Verdict | Verdicts:
        """Look whether a step of the guide is done, not yet done, or wrong; without a step, at all of them.

        Returns a :class:`~calico_lab.lessons.checks.Verdict`, or all as one table. Changes nothing. Raises
        ``StepError`` when there is no such step.
        """
        from calico_lab.lessons import checks

        return checks.check(self, step) if step else checks.check_all(self)

    def progress(self) -> GuideProgress:
        """Show which steps of the guide are done, as :meth:`check` finds them now."""
        from calico_lab.views.guide_progress import GuideProgress

        return GuideProgress.of(self)

    def report(self, folder: str | Path = ".", output: str | Path | None = None) -> Path:
        """Write one HTML page of what the notebooks in a folder show, and of which steps of the guide are done.

        The notebooks are read as they were last saved. ``output`` is ``calico-lab-report.html`` in the folder unless
        named. The page needs nothing else and no network. Raises ``ReportError`` when there is no notebook that was
        run, or the page cannot be written.
        """
        from calico_lab.views import report

        return report.write(Path(folder), Path(output) if output else None, self)

    def __repr__(self) -> str:
        # A lab's name is not in it, so that a notebook's output is the same in every lab.
        if self.kubeconfig.lab:
            return f"Connected to a lab of your own: Kubernetes {self._version}"
        return (
            f"Connected to the cluster {self.name!r}: Kubernetes {self._version} at {self.kubeconfig.server}\n"
            f"as {self.user}, in the namespace {self.kubeconfig.namespace}; "
            "what others share there is changed only with your yes"
        )

    @cached_property
    def user(self) -> str:
        """As whom the cluster sees you."""
        return self.cluster.user()

    @cached_property
    def _version(self) -> str:
        return self.cluster.version()


def connect(
    kubeconfig: str | Path | None = None,
    *,
    context: str | None = None,
    namespace: str | None = None,
    bastion: str | None = None,
) -> Lab:
    """Connect to a cluster and return the lab around it.

    Which cluster: ``kubeconfig``, or ``CALICO_LAB_KUBECONFIG``, or ``KUBECONFIG``, or the local lab, or
    ``~/.kube/config``, each with its current context unless ``context`` or ``CALICO_LAB_CONTEXT`` names another; see
    :mod:`calico_lab.kubeconfig`. ``namespace``, or ``CALICO_LAB_NAMESPACE``, is where the learner's own things go.
    ``bastion``, or ``CALICO_LAB_BASTION``, is ``user@host``, or ``here`` when this runs on it; see
    :mod:`calico_lab.bastion`.

    Raises ``NoClusterError`` when there is no cluster or it does not answer, ``Unauthorized`` when it does not take
    the credentials.
    """
    lab = Lab(kubeconfigs.find(kubeconfig, context=context, namespace=namespace), bastion)
    _ = lab._version, lab.user  # asked once, so that a cluster that is not there, or not ours, is noticed here
    return lab
