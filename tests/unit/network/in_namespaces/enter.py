"""``enter.py FILE``: enters a lab's namespaces and root, as its first process does, and runs pytest on a file there."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from calico_lab.local.start import launch, programs, root

PROJECT = Path(__file__).parents[4]


def main(file):
    visible = [*programs.folders_needed(programs.find()), PROJECT]
    launch.own_namespaces()
    with tempfile.TemporaryDirectory() as staging:
        outermost = [folder for folder in visible if not any(other in folder.parents for other in visible)]
        root.enter_new_root(outermost, Path(staging))
        launch.seal()
        # The folder itself stays behind, outside; what ends this process takes it out of sight.
        os.chdir(PROJECT)
        # One event loop for all: the network that the tests look at lives in it.
        loop = ("-o", "asyncio_default_fixture_loop_scope=session", "-o", "asyncio_default_test_loop_scope=session")
        return pytest.main([file, "-p", "no:cacheprovider", *loop])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
