"""Write FIDELITY.md's table of kinds and verbs from the code that serves them.

``python scripts/make_fidelity_table.py`` rewrites what stands between the two markers, which it puts at the end of the
file where they are missing; with ``--check`` it changes nothing and fails where the table is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from calico_lab.local import custom_resources
from calico_lab.local.apiserver.custom_resources import kinds_of
from calico_lab.local.apiserver.implemented import IMPLEMENTED
from calico_lab.local.apiserver.kinds import ALL_VERBS, BUILT_IN_KINDS, REVIEW_KINDS, SUBRESOURCE_KINDS, Kind

PAGE = Path(__file__).parent.parent / "FIDELITY.md"
BEGIN, END = "<!-- kinds -->", "<!-- /kinds -->"
HEAD = (
    "| kind | API | verbs | subresources (verbs) | what of it works |",
    "|---|---|---|---|---|",
)
STATUS_VERBS = ("get", "patch", "update")
NEVER_CREATED = ("create", "patch", "update")


def main(arguments: list[str]) -> int:
    """Rewrite or check the page; returns the exit code."""
    page = PAGE.read_text() if PAGE.exists() else ""
    new = with_table(page)
    if "--check" in arguments:
        return 0 if page == new else 1
    PAGE.write_text(new)
    return 0


def with_table(page: str) -> str:
    """Return a page with the table as the code has it now."""
    table = "\n".join((BEGIN, "", *HEAD, *rows(), "", END))
    before, begin, rest = page.partition(BEGIN)
    if not begin:
        return f"{page.rstrip()}\n\n{table}\n".lstrip()
    return before + table + rest.partition(END)[2]


def rows() -> Iterator[str]:
    """Yield a row for each kind, all of its versions in one."""
    kinds: dict[tuple[str, str], list[Kind]] = {}
    for kind in (*BUILT_IN_KINDS, *REVIEW_KINDS):
        kinds.setdefault(kind.storage_key, []).append(kind)
    for definition in custom_resources.definitions():
        for kind in kinds_of(definition):
            kinds.setdefault(kind.storage_key, []).append(kind)
    for versions in kinds.values():
        yield _row(versions)


def _row(versions: list[Kind]) -> str:
    kind = versions[0]
    api = ", ".join(version.version for version in versions)
    cells = (kind.kind, f"{kind.group} {api}".strip(), _verbs(kind), _subresources(kind), _what_works(kind))
    return "| " + " | ".join(cells) + " |"


def _is_denied(kind: Kind) -> bool:
    return kind.denied or (kind.group, kind.kind) in custom_resources.DENIED_KINDS


def _verbs(kind: Kind) -> str:
    if _is_denied(kind):
        return ", ".join(verb for verb in kind.verbs if verb not in NEVER_CREATED)
    return "all" if kind.verbs == ALL_VERBS else ", ".join(kind.verbs)


def _subresources(kind: Kind) -> str:
    if _is_denied(kind):
        return ""
    listed = []
    for name in sorted(kind.subresources):
        verbs = SUBRESOURCE_KINDS[name][3] if name in SUBRESOURCE_KINDS else STATUS_VERBS
        listed.append(f"{name} ({', '.join(verbs)})")
    return "; ".join(listed)


def _what_works(kind: Kind) -> str:
    if _is_denied(kind):
        return "known and listed; creating one is denied"
    if (kind.group, kind.kind) in IMPLEMENTED:
        return "the fields that the lab acts on; others are denied by name"
    return "every field"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
