"""Dockerfile, dev container, README and what is said of them: one set-up, one list of options, one profile."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEVCONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROFILE = json.loads((ROOT / ".devcontainer/seccomp.json").read_text())
TEACHING = (ROOT / "docs/teaching.md").read_text()
# What a lab calls that engines refuse: calico_lab/local/start/linux.py.
NEEDED = {"mount", "mount_setattr", "pivot_root", "sethostname", "setns", "umount2", "unshare"}


def options():
    return [option.replace("${localWorkspaceFolder}/", "") for option in DEVCONTAINER["runArgs"]]


def refused():
    """The calls that the profile refuses whatever their arguments are."""
    return {name for rule in PROFILE["syscalls"] if not rule.get("args") for name in rule["names"]}


@pytest.fixture(scope="module")
def trial():
    path = ROOT / "scripts/try_container.py"
    spec = importlib.util.spec_from_file_location("try_container", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_are_made_by_the_readme_s_commands():
    makefile, readme = (ROOT / "Makefile").read_text(), (ROOT / "README.md").read_text()
    assert "\nRUN make setup\n" in DOCKERFILE
    assert 'CMD ["make", "lab",' in DOCKERFILE
    assert DEVCONTAINER["postCreateCommand"] == "make setup"
    for target in ("setup", "lab"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "    make lab " in readme


def test_the_dev_container_is_the_dockerfile_s_machine():
    build = DEVCONTAINER["build"]
    assert (ROOT / ".devcontainer" / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert f" AS {build['target']}\n" in DOCKERFILE
    assert f"\nFROM {build['target']}\n" in DOCKERFILE
    assert f"\nUSER {DEVCONTAINER['remoteUser']}\n" in DOCKERFILE


def test_the_documented_command_has_exactly_the_dev_container_s_options():
    command = re.search(r"docker run (.+?calico-lab)\n", TEACHING, re.DOTALL)[1]
    assert re.findall(r"--(?:cap|security)\S+", command) == options()
    for option in options():
        name = option.removeprefix("--security-opt=")
        assert f"| `{name}` |" in TEACHING, f"nothing says what {name} is for"


def test_no_capability_and_no_privilege_is_granted():
    assert "--cap-drop=ALL" in options()
    assert not [option for option in options() if option.startswith(("--cap-add", "--privileged", "--device"))]
    assert not re.search(r"--privileged|--cap-add|sudo ", DOCKERFILE)
    assert not DEVCONTAINER.keys() & {"capAdd", "privileged", "securityOpt", "features", "mounts"}


def test_the_profile_lets_through_what_a_lab_needs_and_little_else(trial):
    assert set(trial.REFUSED_BY_DOCKER) == NEEDED
    assert not refused() & NEEDED
    assert {"bpf", "kexec_load", "init_module", "keyctl", "open_by_handle_at", "perf_event_open", "reboot"} <= refused()
    # New namespaces come from unshare alone, by clone's flags too (clone(2)).
    flags = {rule["args"][0]["value"] for rule in PROFILE["syscalls"] if rule["names"] == ["clone"]}
    assert sum(flags) == 0x7E020000
    assert "clone3" in refused()
    for call in NEEDED:
        assert f"`{call}`" in TEACHING


def test_the_trial_reads_what_it_runs_from_the_files(trial):
    assert trial.options_without("")["seccomp"] == str(ROOT / ".devcontainer/seccomp.json")
    commands = trial.machine_commands()
    assert [command.split()[0] for command in commands] == ["apt-get", "useradd"]
    assert "python3-venv" in commands[0]
    granted = trial.specification(trial.options_without(""), "true")
    assert granted["process"]["noNewPrivileges"]
    assert not any(granted["process"]["capabilities"].values())
    assert trial.specification(trial.options_without("systempaths"), "true")["linux"]["maskedPaths"]
    with pytest.raises(SystemExit, match="has no option 'privileged'"):
        trial.options_without("privileged")
