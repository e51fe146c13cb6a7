"""`calico-lab doctor` and `up` on machines that lack something: real ones, made of namespaces."""

from __future__ import annotations

import os
import subprocess

import pytest
from support.labs import CALICO_LAB

NAME = "refused"


@pytest.fixture
def on_machine(tmp_path):
    """A function that runs a subcommand after a shell script has spoilt a machine for it, and for it alone."""

    def run(spoil: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        isolated = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
        script = f'ip link set lo up; {spoil}; exec "$@"'
        return subprocess.run(
            [*isolated, "bash", "-ec", script, "spoil", CALICO_LAB, *arguments],
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "FOLDER": str(tmp_path), **variables},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("spoil", "part", "remedy"),
    [
        ("echo 0 > /proc/sys/user/max_user_namespaces", "user namespaces", "user.max_user_namespaces = 15000"),
        ("echo 0 > /proc/sys/user/max_net_namespaces", "user namespaces", "user.max_net_namespaces = 15000"),
        ("mount -t tmpfs none /proc/bus", "/proc and /sys", "systempaths=unconfined"),
        ("mount -t tmpfs none /sys/kernel", "/proc and /sys", "systempaths=unconfined"),
        ("ip link set lo down", "loopback ports", "sudo ip link set lo up"),
        ("mount -t tmpfs -o size=1m none $FOLDER", "state folder", "XDG_STATE_HOME"),
        ("mount -t tmpfs -o ro none $FOLDER", "state folder", "XDG_STATE_HOME"),
    ],
)
def test_what_is_wrong_is_told_with_what_mends_it_and_up_refuses_in_the_same_words(on_machine, spoil, part, remedy):
    doctor, up = on_machine(spoil, "doctor"), on_machine(spoil, "up", "--name", NAME)
    (wrong,) = [line for line in doctor.stdout.splitlines() if line.startswith("✗")]
    problem = wrong.removeprefix(f"✗ {part}").strip()
    assert f"{part}: {problem}\nNext: " in up.stderr
    assert remedy in doctor.stdout
    assert remedy in up.stderr
    assert (doctor.returncode, up.returncode) == (1, 1)
    assert "Traceback" not in doctor.stderr + up.stderr


def test_without_a_network_the_mirror_is_what_is_told(on_machine, tmp_path):
    doctor = on_machine("true", "doctor", XDG_CACHE_HOME=str(tmp_path))
    assert "apt could not read this machine's mirror" in doctor.stdout or "failed" in doctor.stdout
    assert doctor.returncode == 1
    assert "Traceback" not in doctor.stderr
