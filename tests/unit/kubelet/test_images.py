from dataclasses import fields
from pathlib import Path

import pytest

from calico_lab.local.kubelet import images
from calico_lab.local.kubelet.images import (
    BUSYBOX,
    ECHO_BASIC,
    ENVOY,
    ENVOY_GATEWAY,
    IMAGES,
    TRAEFIK,
    ArgumentsRefused,
    Image,
    ImageMissing,
    find,
)
from calico_lab.local.start.programs import Programs

PROGRAMS = Programs(**{field.name: Path("/programs", field.name) for field in fields(Programs)})


def test_envoy_takes_the_arguments_of_upstream():
    arguments = ["--service-cluster", "default/eg", "--config-yaml", "{}", "--cpuset-threads", "--concurrency=1"]
    command = IMAGES[ENVOY].command_line(PROGRAMS, [], arguments)
    assert (command[0], command[-len(arguments) :]) == ("/programs/envoy", arguments)


@pytest.mark.parametrize(
    "arguments",
    [["--config-path", "/x"], ["/bin/sh"], ["--cpuset-threads=1"], ["--log-level"], ["--log-level", "warn", "/bin/sh"]],
)
def test_envoy_takes_no_other_arguments(arguments):
    with pytest.raises(ArgumentsRefused):
        IMAGES[ENVOY].command_line(PROGRAMS, [], arguments)


def test_traefik_takes_the_flags_of_its_ingress_providers():
    arguments = ["--entryPoints.web.address=:8000", "--providers.kubernetesIngressNGINX", "--ping", "--log.level=DEBUG"]
    assert find("traefik:v3.7") is IMAGES[TRAEFIK]
    command = IMAGES[TRAEFIK].command_line(PROGRAMS, [], arguments)
    assert "/programs/traefik" in command
    assert command[-len(arguments) :] == arguments


@pytest.mark.parametrize(
    "argument",
    ["--configfile=/x", "--providers.docker", "--providers.file.directory=/", "--experimental.plugins.a.modulename=b",
     "--certificatesresolvers.a.acme.email=b", "--pingpong", "healthcheck"],
)  # fmt: skip
def test_traefik_takes_no_other_flags(argument):
    with pytest.raises(ArgumentsRefused):
        IMAGES[TRAEFIK].command_line(PROGRAMS, [], [argument])


@pytest.mark.parametrize("name", [ECHO_BASIC, ENVOY_GATEWAY])
def test_own_programs_are_modules_of_this_package(name):
    python, isolated, _, module = IMAGES[name].command_line(PROGRAMS, [], [])
    assert (python, isolated) == ("/programs/python", "-I")
    assert module.startswith("calico_lab.local.")


def test_echo_basic_listens_where_its_environment_says():
    assert IMAGES[ECHO_BASIC].ports({}) == (3000, 3001)
    assert IMAGES[ECHO_BASIC].ports({"HTTP_PORT": "8080"}) == (8080, 3001)


def test_own_programs_take_no_command():
    with pytest.raises(ArgumentsRefused, match="takes no command"):
        IMAGES[ECHO_BASIC].command_line(PROGRAMS, ["/bin/sh"], [])


@pytest.mark.parametrize(
    ("command", "arguments", "line"),
    [([], [], ["/bin/sh"]), ([], ["ls", "/"], ["ls", "/"]), (["sh", "-c"], ["true"], ["sh", "-c", "true"])],
)
def test_busybox_runs_what_it_is_told(command, arguments, line):
    assert IMAGES[BUSYBOX].command_line(PROGRAMS, command, arguments) == line


@pytest.mark.parametrize(
    "name", ["busybox", "busybox:1.36", "library/busybox", "docker.io/library/busybox:latest", "busybox@sha256:0"]
)
def test_images_of_tools_are_known_by_any_tag(name):
    assert find(name) is IMAGES[BUSYBOX]


@pytest.mark.parametrize("name", ["ghost", "quay.io/busybox", "localhost:5000/busybox", ECHO_BASIC + "x"])
def test_other_images_are_missing_and_those_that_there_are_are_named(name):
    with pytest.raises(ImageMissing, match=f'does not have the image "{name}"; it has: .*busybox'):
        find(name)


def test_a_program_that_the_machine_lacks_is_named_with_its_package(monkeypatch):
    image = Image(lambda _: ["nosuch"], needs={"/usr/bin/nosuch": "nosuch-package"})
    monkeypatch.setattr(images, "IMAGES", {"docker.io/some/image": image})
    with pytest.raises(ImageMissing, match="/usr/bin/nosuch, which is missing: sudo apt install nosuch-package"):
        find("some/image:1")
