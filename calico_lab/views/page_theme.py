"""Whether the page that a picture will stand on is dark, as far as a kernel can know.

A picture in PNG cannot follow its page. But a kernel that a Jupyter server has started for a notebook can read which
theme the learner has chosen: JupyterLab keeps her settings in a file of its own
(https://jupyterlab.readthedocs.io/en/stable/user/directories.html). Elsewhere nothing says it, and pages are light.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

# Set by a Jupyter server for the kernel of a notebook, and by nothing that executes one for a page or a test.
_SESSION = "JPY_SESSION_NAME"
_SETTINGS = "JUPYTERLAB_SETTINGS_DIR"
_THEMES = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
# The file is JSON with comments; of it only this one setting is wanted.
_CHOSEN = re.compile(r'^\s*"theme"\s*:\s*"(?P<name>[^"]*)"', re.MULTILINE)


def is_dark(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the learner's JupyterLab has a dark theme; a theme that follows her system counts as light."""
    if _SESSION not in environment:
        return False
    try:
        found = _CHOSEN.search((_folder(environment) / _THEMES).read_text())
    except OSError:
        return False  # nothing was ever chosen
    return found is not None and "dark" in found["name"].lower()


def _folder(environment: Mapping[str, str]) -> Path:
    from jupyter_core.paths import jupyter_config_dir

    return Path(environment.get(_SETTINGS) or Path(jupyter_config_dir()) / "lab/user-settings")
