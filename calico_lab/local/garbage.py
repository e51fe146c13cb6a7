"""How often Python looks for garbage that counting references does not find."""

from __future__ import annotations

import gc

_OBJECTS_BEFORE_LOOKING = 50_000


def collect_seldom() -> None:
    """Look for cycles rarely, and not among what has been imported.

    The objects of a cluster are plain JSON, which has no cycles, but there can be a million of them: to look through
    all stops a process for a tenth of a second (https://docs.python.org/3/library/gc.html#gc.set_threshold).
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BEFORE_LOOKING, 20, 50)
