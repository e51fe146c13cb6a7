"""The step hey: the load generator is on the bastion."""

from __future__ import annotations

from calico_lab.lessons.checks.scene import Scene
from calico_lab.lessons.checks.verdict import Evidence, Verdict, done, not_yet

_LOOK = "command -v hey"


def check(scene: Scene) -> Verdict:
    """Whether the bastion's shell finds hey."""
    found = scene.bastion(_LOOK)
    if found.exit_code:
        return not_yet(
            "hey-missing", "the bastion has no hey", Evidence("hey on the bastion", "not found", _LOOK),
            hint="It is a package of the bastion's own distribution.",
        )  # fmt: skip
    return done("hey is on the bastion", Evidence("hey on the bastion", "found", _LOOK))
