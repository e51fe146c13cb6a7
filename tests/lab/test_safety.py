"""From a shell in the lab nothing outside it can be read, written or signalled: each line below is somebody trying.

As root and as an ordinary user, on the bastion and on a node. Only /usr, the Python installation, this package and the
fetched programs are shared with the machine, all of them read-only.
"""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

NAME = "safety"
MARKER = "calico-lab-marker"
PACKAGE = Path(__file__).parents[2] / "calico_lab"

READ = [
    "cat {kubeconfig}",
    "cat {marker}",
    "cat /proc/{victim}/environ",
    "cat /etc/machine-id",
    "cat /etc/shadow",
    "ls /home/*",
    "ls /boot",
    "ls /var/lib/dpkg",
    "cat /proc/1/environ",
    "cat /proc/1/maps",
    "head -c 100 /proc/1/mem",
    "cat /proc/1/fd/1",
    "ls /proc/1/root/",
    "ls /proc/1/cwd/",
    "grep . /proc/kallsyms",
    "grep . /proc/keys",
    "head -c 1 /proc/kcore | grep .",
    "cat /dev/kmsg",
    "cat /dev/mem",
    "mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk",
    "mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem",
    "mount -t proc none /mnt && ls /mnt/{victim}",
    "mount -t debugfs none /mnt",
    "mount -t cgroup2 none /mnt",
    "mount -t devtmpfs none /mnt",
    "unshare --pid --fork --mount-proc true",
    "nsenter --target 1 --all ls {marker}",
    "nsenter --target 1 --user true",
    "exec 3<>/dev/tcp/127.0.0.1/{port}",
    "exec 3<>/dev/tcp/10.0.1.1/{port}",
    "{python} -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"\\0{abstract}\")'",
    "{python} -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{marker}.socket\")'",
    "grep -r {mac} /sys/class/net/*/address",
    "ipcs --shmems | grep {shared_memory}",
]

# What would get through leaves the machine as it is: each writes what is there already, or an empty file.
WRITE = [
    "touch /usr/x",
    "touch /bin/x",
    "touch {package}/x",
    "touch {prefix}/x",
    "touch {cache}/x",
    "touch /proc/x",
    "touch /sys/x",
    "chmod 755 /usr/bin/env",
    "chmod 666 /dev/null",
    "chown 0 /dev/null",
    "chmod 444 /proc/meminfo",
    "chmod 755 /sys/kernel",
    "echo x >> /proc/1/fd/1",
    "echo x >> /proc/1/fd/2",
    "echo -1000 > /proc/self/oom_score_adj",
    "echo h > /proc/sysrq-trigger",
    "cd /proc/sys/kernel; echo $(cat core_pattern) > core_pattern",
    "cd /proc/sys/vm; echo $(cat swappiness) > swappiness",
    "cd /sys/kernel/mm/transparent_hugepage; echo madvise > enabled",
    "mount -o remount,rw /usr",
    "mount -o remount,rw,bind /usr",
    "mount -o remount,rw,bind /proc/sys/kernel",
    "mount --bind /usr /mnt && mount -o remount,rw,bind /mnt",
    "umount --lazy /usr",
    "umount --lazy /proc/sys/kernel",
    "umount --lazy /dev/null",
    "unshare --user --map-root-user --mount mount -o remount,rw,bind /usr",
    "date --set now",
    "modprobe dummy",
    "losetup --find --show /etc/hosts",
    "{python} -c 'import os; os.setpriority(os.PRIO_PROCESS, 0, -20)'",
]

SIGNAL = [
    "kill -0 {victim}",
    "kill -KILL {victim}",
    "kill -KILL -{victim}",
    "{python} -c 'import os; os.pidfd_open({victim})'",
    "kill -KILL 1 && sleep 0.3 && ! kill -0 1",
]


@pytest.fixture(scope="module")
def machine(user):
    """What there is outside for those inside to reach; each must be as it was at the end."""
    marker = user.home / MARKER
    marker.write_text("as it was")
    marker.chmod(0o666)
    abstract = f"{MARKER}-{os.getpid()}-{user.name}"
    sleeper = (
        ["sleep", "1000"] if user.name == "root" else ["setpriv", "--reuid=65534", "--clear-groups", "sleep", "1000"]
    )
    command = sleeper if os.getuid() == 0 else ["sleep", "1000"]
    shared = subprocess.run(["ipcmk", "--shmem", "4096"], capture_output=True, text=True, check=True).stdout.split()[-1]
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as unseen,
        socket.socket(socket.AF_UNIX) as named,
        subprocess.Popen(command, start_new_session=True) as victim,
    ):
        unseen.bind(f"\0{abstract}")
        unseen.listen()
        named.bind(f"{marker}.socket")
        named.listen()
        yield {
            "marker": marker,
            "abstract": abstract,
            "port": server.getsockname()[1],
            "victim": victim.pid,
            "shared_memory": shared,
            "mac": _address_of_a_link(),
            "package": PACKAGE,
            "prefix": sys.prefix,
            "python": sys.executable,
        }
        assert victim.poll() is None
        assert marker.read_text() == "as it was"
        victim.kill()
    subprocess.run(["ipcrm", "--shmem-id", shared], check=True)


def _address_of_a_link() -> str:
    addresses = [path.read_text().strip() for path in Path("/sys/class/net").glob("*/address")]
    return next((address for address in addresses if address.strip("0:")), "no link")


@pytest.fixture(scope="module")
def lab(user, machine):
    with user.lab(NAME) as status:
        yield status | machine | {"cache": Path(_cache(user, status))}


def _cache(user, status) -> str:
    programs = user.json("doctor")
    return str(Path(next(found["where"] for found in programs if found["part"] == "BIRD")).parents[2])


@pytest.fixture(scope="module", params=["bastion", "worker1"])
def attempts(request, user, lab):
    """What came of each attempt, by its line: all of them are made by one shell, which tells the exit codes."""
    lines = [line.format(**lab) for line in (*READ, *WRITE, *SIGNAL)]
    # A subshell for each, with a limit: some would wait for ever where they did get through.
    script = "".join(f"( timeout 5 bash -c {_quoted(line)} ) >/dev/null 2>&1 </dev/null; echo $?\n" for line in lines)
    host = ["bastion"] if request.param == "bastion" else ["node", request.param]
    done = user.calico_lab(*host, "--name", NAME, "--", "bash -s", stdin=script)
    codes = [int(code) for code in done.stdout.split()]
    assert len(codes) == len(lines), done.stderr
    return dict(zip((*READ, *WRITE, *SIGNAL), codes, strict=True))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def succeeded(attempts, lines) -> list[str]:
    return [line for line in lines if attempts[line] == 0]


def test_nothing_outside_is_read(attempts):
    assert succeeded(attempts, READ) == []


def test_nothing_outside_is_written(attempts):
    assert succeeded(attempts, WRITE) == []


def test_no_signal_reaches_outside(attempts):
    assert succeeded(attempts, SIGNAL) == []


def test_what_the_attempts_stand_on_is_there(user, lab):
    """Each could have failed for want of a program: the harmless sides of them work."""
    line = "cat /etc/hosts; mount -t tmpfs none /mnt && umount /mnt; kill -0 $$; unshare --mount true; ipcs --shmems"
    done = user.calico_lab("bastion", "--name", NAME, "--", f"set -e; {line}; {sys.executable} -c 'print(42)'")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("42\n")


def test_no_file_of_the_user_is_found_anywhere(user, lab):
    done = user.calico_lab("bastion", "--name", NAME, "--", f"find / -name '{MARKER}*' -o -name kubeconfig 2>/dev/null")
    assert done.stdout == ""


def test_a_shell_holds_no_descriptor_but_its_own(user, lab):
    done = user.calico_lab("bastion", "--name", NAME, "--", "readlink /proc/self/fd/* | grep -v -e pipe: -e /proc/")
    assert done.stdout == ""


def test_only_processes_of_the_lab_are_seen(user, lab):
    done = user.calico_lab("bastion", "--name", NAME, "--", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "lab_process" in done.stdout
    assert "sleep 1000" not in done.stdout


def test_killing_all_that_can_be_seen_kills_nothing_outside(user, lab):
    user.calico_lab("bastion", "--name", NAME, "--", "kill -KILL -1")
    os.kill(lab["victim"], 0)
    assert "State:\tZ" not in Path(f"/proc/{lab['victim']}/status").read_text()
    assert user.calico_lab("status", "--name", NAME).returncode == 0


def test_api_and_ssh_listen_on_loopback_alone(user, lab):
    listening = {
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    }
    for port in (lab["api_port"], lab["ssh_port"]):
        assert [entry for entry in listening if entry.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
        assert f":{port:04X}" not in Path("/proc/net/tcp6").read_text()


def test_files_are_the_owner_s_alone(user, lab):
    folder = Path(lab["kubeconfig"]).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_another_lab_s_credentials_are_of_no_use(user, lab):
    with user.lab("stranger") as other:
        text = Path(other["kubeconfig"]).read_text().replace(str(other["api_port"]), str(lab["api_port"]))
        config = user.home / "mixed"
        config.write_text(text)
        config.chmod(0o644)
        done = user.run(str(Path(sys.executable).with_name("kubectl")), "get", "nodes", KUBECONFIG=str(config))
        assert done.returncode == 1
        assert "certificate" in done.stderr


@pytest.mark.parametrize("spoil", ["chmod 755 {}", "mv {0} {0}.real && ln -s {0}.real {0}"])
def test_a_state_folder_that_others_could_reach_is_refused(user, spoil):
    folder = user.home / "state/calico-lab/spoilt"
    assert user.run("mkdir", "-p", "-m", "700", str(folder)).returncode == 0
    assert user.run("bash", "-c", spoil.format(folder)).returncode == 0
    for command in ("up", "down", "status", "reset"):
        done = user.calico_lab(command, "--name", "spoilt")
        assert done.returncode == 1
        assert "belongs to you alone" in done.stderr
    assert user.run("bash", "-c", f"rm -r {folder}*").returncode == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_state_folder_of_somebody_else_is_refused(user):
    folder = user.home / "state/calico-lab/stranger"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(folder, 4242, 4242)
    for command in ("up", "down", "reset"):
        done = user.calico_lab(command, "--name", "stranger")
        assert (done.returncode, "belongs to you alone" in done.stderr) == (1, True)
    folder.rmdir()
