"""Files of a volume that change all at once, the way Kubernetes writes them.

A version of the files is a folder of its own with a time in its name; ``..data`` is a symbolic link to the current
one and is replaced by a rename; each file's name is a symbolic link through ``..data``. A reader sees the old files or
the new ones, never some of each, and whoever watches the folder (Envoy does) sees one rename
(https://pkg.go.dev/k8s.io/kubernetes/pkg/volume/util#AtomicWriter).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

DATA = "..data"
NEW_DATA = "..data_tmp"


class FileContent(NamedTuple):
    """A file to write; ``mode`` is its permissions."""

    content: bytes
    mode: int = 0o644


def write(folder: Path, files: Mapping[str, FileContent]) -> bool:
    """Make ``files``, by relative path, the content of a folder; returns whether anything had to be written."""
    current = folder / DATA
    before = current.resolve() if current.is_symlink() else None
    if before is not None and _same(before, files):
        return False
    version = Path(tempfile.mkdtemp(prefix=datetime.now(UTC).strftime("..%Y_%m_%d_%H_%M_%S."), dir=folder))
    version.chmod(0o755)
    for name, file in files.items():
        path = version / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    names = {Path(name).parts[0] for name in files}
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(Path(DATA, name))
    new = folder / NEW_DATA
    new.unlink(missing_ok=True)
    new.symlink_to(version.name)
    new.rename(current)
    for link in folder.iterdir():
        if not link.name.startswith("..") and link.name not in names:
            link.unlink()
    if before is not None:
        shutil.rmtree(before)
    return True


def _same(folder: Path, files: Mapping[str, FileContent]) -> bool:
    existing = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return existing.keys() == files.keys() and all(
        path.read_bytes() == files[name].content and path.stat().st_mode & 0o777 == files[name].mode
        for name, path in existing.items()
    )
