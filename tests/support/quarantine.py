"""A piece of this machine of a test's own, so that whatever a lab leaves behind can be seen, and goes with the test.

User, PID, mount, network and IPC namespaces of its own: the only processes, links, sockets and mounts in it are those
that the test made. /tmp, /dev/shm and the state folder are empty file systems in memory.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from calico_lab.local.start.programs import cache_folder
from support.users import ordinary_user

INSIDE = Path(__file__).with_name("inside_quarantine.py")


def users() -> list[str]:
    """The users that a lab can be tried as here."""
    return ["root", "ordinary"] if os.getuid() == 0 else ["ordinary"]


def run(program: str, *arguments: str, user: str, time_limit: float) -> Any:
    """Run a function of ``inside_quarantine`` and return what it returns; raises with its output when it fails."""
    namespaces = ["--user", "--map-root-user", "--pid", "--mount", "--net", "--ipc", "--fork", "--kill-child"]
    command = ["unshare", *namespaces, "--mount-proc", sys.executable, str(INSIDE), program, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        # What another lab is just fetching is not for this one, and may be gone before it is read.
        half = shutil.ignore_patterns("tmp*", "fetching-*")
        cache = Path(shutil.copytree(cache_folder(), Path(folder, "calico-lab"), symlinks=True, ignore=half))
        for path in (cache.parent, cache):
            path.chmod(0o755)
        if user == "ordinary" and os.getuid() == 0:
            command = [*ordinary_user(cache.parent), *command]
        environment = {**os.environ, "QUARANTINE_CACHE": str(cache)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=time_limit, env=environment, cwd="/")
    if done.returncode:
        raise AssertionError(f"{program} as {user}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_for_all(program: str, *arguments: str, time_limit: float) -> list[Any]:
    """Run a function for each user, all at the same time; returns what it returns for each."""
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(run, program, *arguments, user=user, time_limit=time_limit) for user in users()]
        return [each.result() for each in runs]
