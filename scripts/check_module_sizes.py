"""Holds every module of the project to a size that can be read in one sitting."""

import sys
from pathlib import Path

LIMIT = 400
PROJECT = Path(__file__).parents[1]
FOLDERS = ("calico_lab", "tests", "bench", "scripts")


def main() -> int:
    """Name the modules over the limit; returns 1 if there are any."""
    modules = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py")]
    sizes = {path: len(path.read_text().splitlines()) for path in modules}
    too_long = {path: size for path, size in sizes.items() if size > LIMIT}
    for path, size in sorted(too_long.items()):
        sys.stdout.write(f"{path.relative_to(PROJECT)}: {size} lines, more than {LIMIT}\n")
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
