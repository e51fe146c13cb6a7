from dataclasses import fields
from pathlib import Path

import pytest

from calico_lab.local.kubelet.images import ECHO_BASIC, ENVOY, ENVOY_GATEWAY, IMAGES, ArgumentsRefused
from calico_lab.local.start.programs import Programs

PROGRAMS = Programs(**{field.name: Path("/programs", field.name) for field in fields(Programs)})


def test_envoy_takes_the_arguments_of_upstream():
    arguments = ["--service-cluster", "default/eg", "--config-yaml", "{}", "--cpuset-threads", "--concurrency=1"]
    command = IMAGES[ENVOY].command_line(PROGRAMS, arguments)
    assert command == ["/programs/envoy", "--disable-hot-restart", *arguments]


@pytest.mark.parametrize(
    "arguments",
    [["--config-path", "/x"], ["/bin/sh"], ["--cpuset-threads=1"], ["--log-level"], ["--log-level", "warn", "/bin/sh"]],
)
def test_envoy_takes_no_other_arguments(arguments):
    with pytest.raises(ArgumentsRefused):
        IMAGES[ENVOY].command_line(PROGRAMS, arguments)


@pytest.mark.parametrize("name", [ECHO_BASIC, ENVOY_GATEWAY])
def test_own_programs_are_modules_of_this_package(name):
    python, isolated, _, module = IMAGES[name].command_line(PROGRAMS, [])
    assert (python, isolated) == ("/programs/python", "-I")
    assert module.startswith("calico_lab.local.")


def test_echo_basic_listens_where_its_environment_says():
    assert IMAGES[ECHO_BASIC].ports({}) == (3000, 3001)
    assert IMAGES[ECHO_BASIC].ports({"HTTP_PORT": "8080"}) == (8080, 3001)
