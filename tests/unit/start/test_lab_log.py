import threading
import time
from pathlib import Path

import pytest

from calico_lab.local.start import lab_log

STORE = "2026-11-24 03:00:00,000 ERROR calico_lab.local.apiserver.server: it failed\nTraceback:\n  a line\n"
KUBELET = "2026-11-24 03:00:01,000 WARNING calico_lab.local.kubelet.kubelet: a pod\n"
NEIGHBOUR = "2026-11-24 03:00:02,000 INFO calico_lab.local.apiserver_of_another: not this one\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "lab.log"
    path.write_text(STORE + KUBELET + NEIGHBOUR)
    return path


def shown(log: Path, *prefixes: str, tail: int | None = None) -> str:
    lines: list[str] = []
    lab_log.show(log, prefixes, lines.append, tail=tail, follow=False)
    return "".join(f"{line}\n" for line in lines)


def test_without_a_part_all_is_shown(log: Path):
    assert shown(log) == STORE + KUBELET + NEIGHBOUR


def test_a_part_is_shown_with_its_tracebacks_and_no_other(log: Path):
    assert shown(log, "calico_lab.local.apiserver") == STORE
    assert shown(log, "calico_lab.local.kubelet") == KUBELET


def test_the_tail_is_that_of_the_part(log: Path):
    assert shown(log, "calico_lab.local.apiserver", tail=1) == "  a line\n"


def test_following_shows_new_lines_survives_a_new_beginning_and_ends_with_the_folder(log: Path):
    lines: list[str] = []
    following = threading.Thread(
        target=lambda: lab_log.show(log, ("calico_lab.local.kubelet",), lines.append, tail=0, follow=True)
    )
    following.start()
    time.sleep(0.2)
    with log.open("a") as file:
        file.write(KUBELET + STORE)
    time.sleep(0.3)
    log.write_text(KUBELET)
    time.sleep(0.3)
    log.unlink()
    following.join(timeout=5)
    assert not following.is_alive()
    assert lines == [KUBELET.rstrip()] * 2
