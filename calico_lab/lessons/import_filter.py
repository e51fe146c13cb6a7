"""The bastion's import filter, edited with care: it is a file of somebody's, on a machine that others may use.

An edit is shown before it is made, except in a lab of one's own. It is made once, however often it is asked for; a copy
of the file is kept; BIRD's own parser (``bird -p``) judges the new one before BIRD is restarted, and when BIRD does not
start with it, the edit is taken back.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from calico_lab import consent
from calico_lab.errors import CommandError, ConsentError, PrerequisiteError
from calico_lab.lessons import checks
from calico_lab.lessons.checks import pools
from calico_lab.lessons.checks.bird import CONFIGURATION, fate_of, import_rules

if TYPE_CHECKING:
    from calico_lab.lab import Lab

BACKUP = f"{CONFIGURATION}.before-calico-lab"
_SECONDS = 30.0
_ACCEPT = re.compile(r"^([ \t]*)if\s*\(?\s*net\s*~[^;]*then\s+accept\s*;.*$", re.MULTILINE)
_DECISION = re.compile(r"^([ \t]*)(?:accept|reject)\s*;", re.MULTILINE)


@dataclass(frozen=True, repr=False)
class Edit:
    """What an edit changes in the file; ``difference`` is empty when nothing is to be changed."""

    prefix: str
    difference: str

    def __repr__(self) -> str:
        if not self.difference:
            return f"The bastion's import filter accepts {self.prefix} already; nothing has been changed"
        return f"The bastion's import filter accepts {self.prefix} from now on:\n{self.difference}"


def planned(lab: Lab, prefix: str | None = None) -> Edit:
    """Return what :func:`accept` would change, which raises ``PrerequisiteError`` as that does."""
    return _plan(lab, prefix)[0]


def accept(lab: Lab, prefix: str | None = None, *, yes: bool = False) -> Edit:
    """Let the bastion's BIRD import routes to ``prefix`` and all that lies in it; by default to the load balancers'.

    Raises ``ConsentError`` with the difference when the bastion is not one of a lab of one's own and ``yes`` is not
    given; ``PrerequisiteError`` when the file has no filter to edit; ``CommandError`` with BIRD's words when it does
    not take the edited file, which is then not used.
    """
    edit, after = _plan(lab, prefix)
    if edit.difference:
        if not (yes or lab.may_change_shared_things):
            raise ConsentError(
                f"others may rely on the bastion's {CONFIGURATION}, so nothing has been done; this would change:\n"
                f"{edit.difference}",
                remedy="if that is what you want: import_filter.accept(lab, yes=True)",
            )
        _write(lab, after)
    return edit


def _plan(lab: Lab, prefix: str | None) -> tuple[Edit, str]:
    """Return the edit, and the text of the file after it."""
    network = str(ip_network(prefix or pools.load_balancer_range(checks.glance(lab))))
    before = lab.bastion.run(f"sudo cat {CONFIGURATION}", time_limit=_SECONDS).output
    after = edited(before, network)
    return Edit(network, consent.unified(before, after)), after


def edited(text: str, prefix: str) -> str:
    """Return a configuration of BIRD whose import filter accepts ``prefix``; the same text where it does already.

    The rule is put behind the last rule of its form, or else before the filter's last decision. Raises
    ``PrerequisiteError`` when no BGP session imports by a filter of that file.
    """
    if fate_of(prefix, import_rules(text)) == "accept":
        return text
    for name in re.findall(r"\bimport\s+filter\s+(\w+)\s*;", text):
        body = re.search(rf"\bfilter\s+{name}\s*\{{.*?\n\}}", text, re.DOTALL)
        if body:
            return text[: body.start()] + _with_rule(body[0], prefix) + text[body.end() :]
    raise PrerequisiteError(
        f"{CONFIGURATION} on the bastion has no import filter that could be edited",
        remedy=f'let its BGP sessions accept {prefix} as your BIRD is set up, then lab.check("import-filter")',
    )


def _with_rule(body: str, prefix: str) -> str:
    rejecting = re.search(r"^[ \t]*if\s*\(?\s*net\s*~[^;]*then\s+reject\s*;", body, re.MULTILINE)
    rules = list(_ACCEPT.finditer(body, 0, rejecting.start() if rejecting else len(body)))
    line = f"if (net ~ {prefix}) then accept;"
    if rules:
        last = rules[-1]
        return f"{body[: last.end()]}\n{last[1]}{line}{body[last.end() :]}"
    first = rejecting or _DECISION.search(body)
    at = first.start() if first else body.rindex("\n}") + 1
    indent = re.match(r"[ \t]*", body[at:])[0] if first else "  "  # type: ignore[index]
    return f"{body[:at]}{indent}{line}\n{body[at:]}"


def _write(lab: Lab, text: str) -> None:
    """Put a text in the place of the bastion's configuration, once BIRD's parser has taken it, and restart BIRD."""
    draft = lab.bastion.run("mktemp --suffix=.bird.conf", time_limit=_SECONDS).output.strip()
    quoted = shlex.quote(draft)
    try:
        lab.bastion.run(f"cat > {quoted}", stdin=text, time_limit=_SECONDS)
        lab.bastion.run(f"sudo bird -p -c {quoted}", time_limit=_SECONDS)
        # A copy of the text into the file: its owner and mode stay as they are.
        lab.bastion.run(
            f"sudo cp -p --backup=numbered {CONFIGURATION} {BACKUP} && sudo cp {quoted} {CONFIGURATION}",
            time_limit=_SECONDS,
        )
    finally:
        lab.bastion.run(f"rm -f {quoted}", check=False, time_limit=_SECONDS)
    try:
        lab.bastion.run("sudo systemctl restart bird", time_limit=_SECONDS)
    except CommandError as error:
        lab.bastion.run(f"sudo cp {BACKUP} {CONFIGURATION} && sudo systemctl restart bird", time_limit=_SECONDS)
        error.remedy = f"BIRD runs with the file as it was before ({BACKUP} is a copy); sudo journalctl -u bird"
        raise
