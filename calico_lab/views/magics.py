"""Cells in the languages of the workshop: YAML for the cluster, shell for the bastion.

    %load_ext calico_lab

    %%apply [--yes]               the cell is YAML, applied as `kubectl apply -f -` does
    %%bastion [-o NAME] [...]     the cell is a shell script, run on the bastion
    %bastion COMMAND              one command on the bastion; IPython puts in {names} of Python
    %kubectl ARGUMENTS            kubectl on this machine, for the same cluster

They speak with the lab that the notebook calls ``lab``, or else with one that they connect to themselves.
"""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class

from calico_lab import kubectl
from calico_lab.cluster import Applied
from calico_lab.errors import CommandError, ConsentError
from calico_lab.lab import Lab, connect

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

NAME = "lab"
TIME_LIMIT = 60.0


def register(shell: InteractiveShell) -> None:
    """Add the magics to a shell: what ``%load_ext calico_lab`` does."""
    shell.register_magics(LabMagics)


@magics_class
class LabMagics(Magics):
    """The magics; each asks anew which lab the notebook has."""

    @cell_magic
    def apply(self, line: str, cell: str) -> Applied:
        """Apply the cell, which is YAML, to the cluster; say what kubectl says.

        With ``--yes`` also what changes a cluster for others than the learner.
        """
        if line.strip() not in ("", "--yes"):
            raise UsageError(f"%%apply takes no option but --yes, and got: {line.strip()}")
        _require_yaml(cell)
        return self._lab().cluster.apply(cell, yes=bool(line.strip()))

    @line_cell_magic
    def bastion(self, line: str, cell: str | None = None) -> None:
        """Run the cell, or the rest of the line, in a shell on the bastion; print what it prints.

        Options of the cell: ``-o NAME`` keeps the ``CompletedCommand`` in a variable, ``--no-check`` takes an exit
        code other than 0 for no error (``--check`` is the default), ``--time-limit SECONDS`` (60) ends it then.
        ``--step NAME``: the cell takes this step of the guide, which is not done where it has been taken already, and
        on a cluster that is no lab of one's own only with ``--yes``.
        """
        if cell is None:
            self._run(line)
            return
        try:
            options, rest = self.parse_options(line, "o:", "check", "no-check", "time-limit=", "step=", "yes")
        except UsageError as error:
            known = "-o NAME, --check, --no-check, --time-limit SECONDS, --step NAME, --yes"
            raise UsageError(f"%%bastion: {str(error).partition(' (')[0]}; there are: {known}") from None
        if rest:
            raise UsageError(f"the commands stand below %%bastion, not beside it: {rest}")
        if "o" in options and not options["o"].isidentifier():
            raise UsageError(f"%%bastion -o: {options['o']!r} is not the name of a variable")
        try:
            time_limit = float(options.get("time-limit", TIME_LIMIT))
        except ValueError as error:
            raise UsageError(f"%%bastion --time-limit takes a number of seconds: {error}") from None
        if "step" in options and not self._is_to_be_taken(options["step"], cell, yes="yes" in options):
            return
        self._run(cell, check="no-check" not in options, time_limit=time_limit, output=options.get("o"))

    @line_magic
    def kubectl(self, line: str) -> None:
        """Run kubectl for the lab's cluster and print what it prints."""
        try:
            arguments = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"%kubectl {line}: {error}") from None
        _print(kubectl.run(self._lab().kubeconfig, *arguments, time_limit=TIME_LIMIT), sys.stdout)

    def _run(
        self, command: str, *, check: bool = True, time_limit: float = TIME_LIMIT, output: str | None = None
    ) -> None:
        if not command.strip():
            raise UsageError("%%bastion: there is no command")
        completed = self._lab().bastion.run(command, time_limit=time_limit, check=False)
        if output:
            self._names[output] = completed
        _print(completed.output, sys.stdout)
        _print(completed.errors, sys.stderr)
        if check and completed.exit_code:
            raise CommandError(
                f"exit code {completed.exit_code} on the bastion",
                exit_code=completed.exit_code,
                output=completed.output,
                errors=completed.errors,
                remedy="if that is what you want to see: %%bastion --no-check",
            )

    def _is_to_be_taken(self, name: str, commands: str, *, yes: bool) -> bool:
        """Whether a step is still to be taken; raises ``ConsentError`` when others would have to be asked first."""
        from calico_lab.lessons import steps

        lab, step = self._lab(), steps.upto(name)[-1]
        if step.is_taken(lab):
            _print(f"Nothing to do, this step has been taken: {step.title}.", sys.stdout)
            return False
        if not (yes or lab.may_change_shared_things):
            raise ConsentError(
                f"others share the bastion of the cluster {lab.name!r}, so nothing has been done:\n{commands.rstrip()}",
                remedy=f"if that is what you want: %%bastion --step {name} --yes",
            )
        return True

    @property
    def _names(self) -> dict[str, Any]:
        assert self.shell is not None  # noqa: S101 - magics are made by a shell
        names: dict[str, Any] = self.shell.user_ns
        return names

    def _lab(self) -> Lab:
        found = self._names.get(NAME)
        if isinstance(found, Lab):
            return found
        if NAME in self._names:
            raise UsageError("`lab` is not a lab here; first run: lab = calico_lab.connect()")
        self._names[NAME] = connect()
        return self._lab()


def _print(text: str, stream: Any) -> None:
    if text:
        stream.write(text if text.endswith("\n") else f"{text}\n")


def _require_yaml(text: str) -> None:
    """Raise ``UsageError``, in one line with the line's number in the cell, when the text is not YAML objects."""
    import yaml

    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"%%apply: line {line} of the YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"%%apply: this is not YAML: {' '.join(str(error).split())}") from None
    if not documents:
        raise UsageError("%%apply: there is no YAML below it")
    for document in documents:
        if not isinstance(document, dict) or not document.get("kind"):
            raise UsageError(f"%%apply: not a Kubernetes object, which has apiVersion and kind: {str(document)[:60]}")
