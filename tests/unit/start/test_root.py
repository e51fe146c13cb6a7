"""The root file system of a lab, built for real in namespaces of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ENTER = """
import sys
from pathlib import Path
from calico_lab.local.start import launch, linux, root
launch.own_namespaces()
root.enter_new_root([Path(path) for path in sys.argv[2:]], Path(sys.argv[1]))
launch.seal()
exec(sys.stdin.read())
"""


@pytest.fixture
def inside(tmp_path: Path):
    """A function that runs Python code in a new root and returns what it printed."""
    shown = [sys.prefix, sys.base_prefix, str(Path(__file__).parents[3] / "calico_lab")]

    def run(code: str, *more: Path) -> str:
        unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
        command = [*unshare, sys.executable, "-c", ENTER, str(tmp_path), *shown, *map(str, more)]
        done = subprocess.run(command, input=code, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def refused(statement: str) -> str:
    return f"try:\n    {statement}\nexcept OSError as error:\n    print('refused')\n"


def test_only_the_labs_own_folders_are_seen(inside):
    assert inside("print(sorted(path.name for path in Path('/home').iterdir()))") == "[]\n"
    assert "machine-id" not in inside("print([path.name for path in Path('/etc').iterdir()])")


def test_programs_of_the_machine_run(inside):
    code = "import subprocess; print(subprocess.check_output(['awk', 'BEGIN {print 6 * 7}'], text=True))"
    assert inside(code).strip() == "42"


AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.mark.skipif(not AUTHORITIES.is_file(), reason="this machine knows no public certificate authorities")
def test_programs_know_the_public_certificate_authorities(inside):
    assert inside(f"print(Path('{AUTHORITIES}').read_text(), end='')") == AUTHORITIES.read_text()
    assert inside("print(sorted(path.name for path in Path('/etc/ssl').rglob('*')))") == (
        "['ca-certificates.crt', 'certs', 'openssl.cnf']\n"
    )


@pytest.mark.parametrize("path", ["/usr/x", "/proc/sys/kernel/core_pattern", "/sys/x"])
def test_nothing_of_the_machine_can_be_written(inside, path: str):
    assert inside(refused(f"open({path!r}, 'w')")) == "refused\n"


def test_shown_folders_are_read_only_at_their_own_path(inside, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("shown")
    (folder / "file").write_text("seen")
    code = f"print(open('{folder}/file').read())\n" + refused(f"open('{folder}/file', 'w')")
    assert inside(code, folder) == "seen\nrefused\n"


@pytest.mark.parametrize(
    "statement",
    [
        "linux.mount('none', Path('/usr'), flags=linux.MS_REMOUNT | linux.MS_BIND)",
        "linux.unmount(Path('/proc/sys/kernel'))",
        "linux.mount('proc', Path('/mnt'), 'proc')",
    ],
)
def test_even_root_inside_cannot_lift_the_protection(inside, statement: str):
    assert inside(refused(statement)) == "refused\n"


def test_sysctls_of_the_labs_own_network_can_be_set(inside):
    path = "/proc/sys/net/ipv4/ip_forward"
    assert inside(f"open('{path}', 'w').write('1'); print(open('{path}').read())").strip() == "1"


def test_the_first_process_is_alone_in_its_world(inside):
    code = "import os; print(os.getpid(), [name for name in os.listdir('/proc') if name.isdigit()])"
    assert inside(code) == "1 ['1']\n"


def test_terminals_can_be_opened(inside):
    assert inside("import os; print(os.ttyname(os.openpty()[1]))") == "/dev/pts/0\n"
