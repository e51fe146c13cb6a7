"""The bastion's BIRD: its configuration and sessions, and the step import-filter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from calico_lab.errors import ReportError
from calico_lab.lessons.checks import pools
from calico_lab.lessons.checks.scene import Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, not_yet, wrong
from calico_lab.tools import birdc

CONFIGURATION = "/etc/bird/bird.conf"
_READ_CONFIGURATION = f"sudo cat {CONFIGURATION}"
_SHOW_PROTOCOLS = "sudo birdc show protocols"
_SHOW_ROUTE = "sudo birdc show route"
# Seconds since 1970: when the file was last written, and when BIRD last read it.
_TIMES = (
    f"sudo stat -c %Y {CONFIGURATION}; "
    'date -d "$(sudo birdc show status | sed -n "s/^Last reconfiguration on //p")" +%s'
)
_LOOK_AT_FILTER = f'sudo grep -A 8 "Import filter" {CONFIGURATION}   on the bastion'
_RULE = re.compile(r"if\s*\(?\s*net\s*~\s*\[?\s*([0-9./]+)[^;]*?\)?\s*then\s+(accept|reject)\s*;|\b(accept|reject)\s*;")


@dataclass(frozen=True)
class Session:
    """A BGP session as the bastion sees it; ``info`` is its state and what last went wrong."""

    name: str
    info: str

    @property
    def established(self) -> bool:
        """Whether routes are exchanged."""
        return self.info.startswith("Established")


def sessions(scene: Scene) -> list[Session] | None:
    """Return the bastion's BGP sessions, or None when its BIRD does not answer."""
    try:
        protocols = birdc.parse_protocols(scene.bastion(_SHOW_PROTOCOLS).output)
    except ReportError:
        return None
    rows = protocols[protocols["proto"] == "BGP"]
    return [Session(str(name), str(row["info"]).strip() or str(row["state"])) for name, row in rows.iterrows()]


def sessions_seen(found: list[Session]) -> Evidence:
    """Return the session table as evidence, without the clock's times."""
    width = max((len(session.name) for session in found), default=0)
    table = "\n".join(f"{session.name:{width}}  {session.info}" for session in found)
    return Evidence("BGP sessions on the bastion", table or "none", f"{_SHOW_PROTOCOLS}   on the bastion")


def not_running(scene: Scene) -> Verdict:
    """Return the verdict for a bastion whose BIRD does not answer."""
    said = scene.bastion(_SHOW_PROTOCOLS)
    words = (said.errors or said.output).strip().splitlines() or [f"exit code {said.exit_code}"]
    return wrong(
        "bird-not-running", "BIRD on the bastion does not answer",
        Evidence("birdc on the bastion", words[-1], f"{_SHOW_PROTOCOLS}   on the bastion"),
        hint=f"BIRD does not start with a configuration that it cannot read: sudo bird -p -c {CONFIGURATION}",
    )  # fmt: skip


def configuration(scene: Scene) -> str:
    """Return the text of the bastion's configuration without its comments; empty when it cannot be read."""
    text = scene.bastion(_READ_CONFIGURATION).output
    return re.sub(r"#[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def check(scene: Scene) -> Verdict:
    """Whether the bastion accepts the load balancers' addresses, and BIRD works by what the file says."""
    if sessions(scene) is None:
        return not_running(scene)
    wanted = pools.load_balancer_range(scene)
    accepted = [line for line in scene.bastion(_SHOW_ROUTE).output.splitlines() if line.startswith(f"{wanted} ")]
    rules = import_rules(configuration(scene))
    fate = fate_of(wanted, rules)
    seen = Evidence(
        "import filter",
        "\n".join(f"{prefix} {action}" for prefix, action in rules) or "no rules found",
        _LOOK_AT_FILTER,
    )
    if accepted or (fate == "accept" and not _not_loaded(scene)):
        routes = Evidence(
            "BIRD's routes",
            f"{wanted} is {'' if accepted else 'not yet '}among them",
            f"{_SHOW_ROUTE}   on the bastion",
        )
        return done(f"the bastion accepts routes to {wanted}", seen, routes)
    if fate == "accept":
        return wrong(
            "import-filter-not-loaded", f"{CONFIGURATION} was changed after BIRD had read it", seen,
            Evidence("BIRD", "has not read the file since it was written", "sudo birdc show status   on the bastion"),
            hint="A program that has read its configuration does not look at the file again by itself.",
        )  # fmt: skip
    return _not_accepted(wanted, rules, seen)


def _not_accepted(wanted: str, rules: list[tuple[str, str]], seen: Evidence) -> Verdict:
    accepting = [prefix for prefix, action in rules if action == "accept" and prefix != "anything"]
    if any(pools.is_within(wanted, prefix) for prefix in accepting):
        return wrong(
            "import-filter-after-reject", f"the filter rejects {wanted} before it comes to the line that accepts it",
            seen, hint="A filter is read from the top, and the first rule that decides ends it.",
        )  # fmt: skip
    near = [prefix for prefix in accepting if _looks_like(prefix, wanted)]
    if near:
        return wrong(
            "import-filter-other-range", f"the filter accepts {', '.join(near)}, which does not contain {wanted}", seen,
            hint="Compare the range in the filter with the one that the nodes advertise: address and length.",
        )  # fmt: skip
    return not_yet(
        "import-filter-missing", f"the bastion's import filter does not accept {wanted}", seen,
        hint="The nodes tell the bastion of this range, and its filter decides what it believes. "
        "Which ranges does it let in?",
    )  # fmt: skip


def _looks_like(prefix: str, wanted: str) -> bool:
    """Whether a range could be meant for another one: three of its four numbers are the same, or it lies within."""
    same = sum(ours == theirs for ours, theirs in zip(_numbers(prefix), _numbers(wanted), strict=False))
    return same >= 3 or pools.is_within(prefix, wanted)


def _numbers(prefix: str) -> list[str]:
    return prefix.partition("/")[0].split(".")


def _not_loaded(scene: Scene) -> bool:
    """Whether BIRD works by an older file than the one there is.

    The times tell; BIRD's own clock may be a second behind. Where they are as close as that: with every session up, an
    accepted route would be there.
    """
    times = [int(word) for word in scene.bastion(_TIMES).output.split() if word.isdigit()]
    return (len(times) == 2 and times[0] > times[1] + 1) or bool(scene.verdict("bgp"))


def import_rules(text: str) -> list[tuple[str, str]]:
    """Return the rules of the filters that BGP sessions import by: a range, or ``anything``, and what becomes of it.

    Read are rules of the form ``if (net ~ RANGE) then accept;`` and plain ``accept;`` and ``reject;``.
    """
    names = set(re.findall(r"\bimport\s+filter\s+(\w+)\s*;", text))
    bodies = [
        body for name in sorted(names) for body in re.findall(rf"\bfilter\s+{name}\s*\{{(.*?)\n\}}", text, re.DOTALL)
    ]
    return [(prefix or "anything", action or alone) for body in bodies for prefix, action, alone in _RULE.findall(body)]


def fate_of(wanted: str, rules: list[tuple[str, str]]) -> str:
    """Return what the first rule that speaks of a range does with it: ``accept``, or else ``reject``."""
    for prefix, action in rules:
        if prefix == "anything" or pools.is_within(wanted, prefix):
            return action
    return "reject"
