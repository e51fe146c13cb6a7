"""The images that the lab has: programs of this machine that stand in for container images.

An image is known by its full name, tag included; nginx, Traefik and images of tools, which are the machine's own, by
their name with any tag. Its program, and which arguments a manifest may hand it, are stated here and nowhere else: no
manifest can make the kubelet run anything that is not in this table.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from calico_lab.errors import LabError
from calico_lab.local.wire import JsonObject

if TYPE_CHECKING:
    from calico_lab.local.start.programs import Programs

ECHO_BASIC = "gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e"
ENVOY = "docker.io/envoyproxy/envoy:distroless-v1.35.8"
ENVOY_GATEWAY = "docker.io/envoyproxy/gateway:v1.5.9"
COREDNS = "registry.k8s.io/coredns/coredns:v1.12.4"
CURL = "docker.io/curlimages/curl"
BUSYBOX = "docker.io/library/busybox"
NGINX = "docker.io/library/nginx"
TRAEFIK = "docker.io/library/traefik"


class ArgumentsRefused(LabError):
    """A manifest hands an image a command or an argument that its program does not take."""


@dataclass(frozen=True)
class Image:
    """What stands behind an image's name.

    ``program`` gives the command line without the manifest's arguments, ``ports`` the TCP ports that the program will
    listen on in an environment, or None where only its configuration knows; ``folders`` are those that it needs beside
    the ones that every pod has for itself. ``options`` are the arguments that a manifest may give and whether a value
    follows each; ``flags`` is a regular expression of further ones, which carry their value after an equals sign. An
    image of ``tools`` takes any arguments, and any command in the program's place: what it has is what
    the machine has in /usr. One with a ``default`` has no program of its own: its arguments are a command line, or else
    that.
    ``needs`` are programs of the machine, each with the Debian package that brings it.
    """

    program: Callable[[Programs], list[str]]
    ports: Callable[[Mapping[str, str]], tuple[int, ...] | None] = lambda _environment: ()
    options: Mapping[str, bool] = field(default_factory=dict)
    flags: str = ""
    tools: bool = False
    default: Sequence[str] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()
    stop_signal: signal.Signals = signal.SIGTERM

    def command_line(self, programs: Programs, command: Sequence[str], arguments: Sequence[str]) -> list[str]:
        """Return the whole command line. Raises :class:`ArgumentsRefused` for what the image doesn't take."""
        if self.tools:
            return [*(command or self.program(programs)), *(arguments or ([] if command else self.default))]
        if command:
            raise ArgumentsRefused("the local lab runs its own program for this image and takes no command")
        self._check(arguments)
        return [*self.program(programs), *arguments]

    def _check(self, arguments: Sequence[str]) -> None:
        waiting = list(reversed(arguments))
        while waiting:
            argument = waiting.pop()
            if self.flags and re.fullmatch(self.flags, argument, re.IGNORECASE):
                continue
            name, separator, _ = argument.partition("=")
            if name not in self.options or (separator and not self.options[name]):
                raise ArgumentsRefused(f"the local lab's program for this image does not take the argument {argument}")
            if self.options[name] and not separator:
                if not waiting:
                    raise ArgumentsRefused(f"a value is missing after the argument {name}")
                waiting.pop()


def _module(name: str) -> Callable[[Programs], list[str]]:
    # -I: neither the folder that the program is started in nor PYTHON* variables decide what is imported.
    return lambda programs: [str(programs.python), "-I", "-m", name]


def _echo_ports(environment: Mapping[str, str]) -> tuple[int, ...]:
    ports = environment.get("HTTP_PORT") or "3000", environment.get("H2C_PORT") or "3001"
    secure = [environment.get("HTTPS_PORT") or "8443"] if serves_tls(environment) else []
    return tuple(int(port) for port in (*ports, *secure) if port.isdecimal())


def serves_tls(environment: Mapping[str, str]) -> bool:
    """Whether echo-basic serves HTTPS: with a certificate and a key, each the path of a file."""
    return bool(environment.get("TLS_SERVER_CERT") and environment.get("TLS_SERVER_PRIVKEY"))


_ENVOY_OPTIONS = {
    "--config-yaml": True,
    "--service-cluster": True,
    "--service-node": True,
    "--service-zone": True,
    "--log-level": True,
    "-l": True,
    "--component-log-level": True,
    "--concurrency": True,
    "--cpuset-threads": False,
    "--drain-strategy": True,
    "--drain-time-s": True,
    "--parent-shutdown-time-s": True,
}

# What Traefik can be told: where it listens, what it reads of the Kubernetes API, and what it logs and shows of itself.
# Other providers, plugins and certificate resolvers want what a lab does not have.
_TRAEFIK_FLAGS = (
    r"--(accesslog|api|entrypoints|log|ping|providers\.kubernetesingress(nginx)?|serverstransport)(\.[^=]+)?(=.*)?"
)
# It would ask its makers for a newer version, and the Go runtime would grow its memory to twice what is in use.
_TRAEFIK_START = ("--global.checknewversion=false", "--global.sendanonymoususage=false")

# As the entry point of curlimages/curl: the arguments are curl's, unless the first of them is a command.
_CURL_ENTRY_POINT = 'case "$1" in -*|*/*|"") ;; *) command -v "$1" > /dev/null && exec "$@" ;; esac; exec curl "$@"'

IMAGES: Mapping[str, Image] = {
    ECHO_BASIC: Image(_module("calico_lab.local.kubelet.images.echo_basic"), _echo_ports),
    # Without --disable-hot-restart Envoy leaves a file in /dev/shm behind that keeps the next one from starting. Its
    # access log reaches the pod's log at once, where Envoy by itself holds it back for up to ten seconds.
    ENVOY: Image(
        lambda programs: [str(programs.envoy), "--disable-hot-restart", "--file-flush-interval-msec", "50"],
        options=_ENVOY_OPTIONS,
    ),
    ENVOY_GATEWAY: Image(
        _module("calico_lab.local.controllers.envoy_gateway"),
        lambda _environment: (18000,),
        {"server": False, "--config-path": True},
    ),
    COREDNS: Image(_module("calico_lab.local.cluster_dns.server"), lambda _environment: (53,)),
    CURL: Image(lambda _: ["/bin/sh", "-c", _CURL_ENTRY_POINT, "curl"], tools=True, needs={"/usr/bin/curl": "curl"}),
    NGINX: Image(
        lambda programs: [*_module("calico_lab.local.kubelet.images.nginx")(programs), str(programs.nginx)],
        lambda _environment: None,
        {"nginx": False, "-g": True},
        folders=("/usr/share/nginx/html",),
        stop_signal=signal.SIGQUIT,  # upon which nginx answers what it has been asked
    ),
    TRAEFIK: Image(
        lambda programs: ["/usr/bin/env", "GOGC=50", "GOMAXPROCS=1", str(programs.traefik), *_TRAEFIK_START],
        lambda _environment: None,
        {"traefik": False},
        flags=_TRAEFIK_FLAGS,
    ),
    BUSYBOX: Image(lambda _: [], tools=True, default=("/bin/sh",)),
}


class ImageMissing(LabError):
    """The lab does not have an image; the message is what a pull would say."""


def find(name: str) -> Image:
    """Return the image of a name, as a manifest writes it. Raises :class:`ImageMissing`."""
    image = IMAGES.get(name) or IMAGES.get(_without_tag(name))
    if image is None:
        raise ImageMissing(f'the local lab does not have the image "{name}"; it has: {", ".join(sorted(IMAGES))}')
    for program, package in image.needs.items():
        if not Path(program).exists():
            raise ImageMissing(
                f'behind the image "{name}" the local lab runs this machine\'s {program}, which is missing:'
                f" sudo apt install {package}"
            )
    return image


def folders_of(pod: JsonObject) -> list[str]:
    """Return the folders that the images of a pod's containers need."""
    found: list[str] = []
    for container in [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]:
        with suppress(ImageMissing):
            found += find(container["image"]).folders
    return list(dict.fromkeys(found))


def _without_tag(name: str) -> str:
    """Return the full name, as docker completes it, of an image without its tag and digest."""
    repository = name.partition("@")[0]
    if ":" in repository.rpartition("/")[2]:
        repository = repository.rpartition(":")[0]
    first, slash, _ = repository.partition("/")
    if not slash:
        return f"docker.io/library/{repository}"
    return repository if "." in first or ":" in first or first == "localhost" else f"docker.io/{repository}"
