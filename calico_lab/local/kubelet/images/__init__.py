"""The images that the lab has: programs of this machine that stand in for container images.

An image is known by its full name, tag included. Its program, and which arguments a manifest may hand it, are stated
here and nowhere else: no manifest can make the kubelet run anything that is not in this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from calico_lab.errors import LabError

if TYPE_CHECKING:
    from calico_lab.local.start.programs import Programs

ECHO_BASIC = "gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e"
ENVOY = "docker.io/envoyproxy/envoy:distroless-v1.35.8"
ENVOY_GATEWAY = "docker.io/envoyproxy/gateway:v1.5.9"


class ArgumentsRefused(LabError):
    """A manifest hands an image a command or an argument that its program does not take."""


@dataclass(frozen=True)
class Image:
    """What stands behind an image's name.

    ``program`` gives the command line without the manifest's arguments, ``ports`` the TCP ports that the program will
    listen on in an environment, ``options`` the arguments that a manifest may give and whether a value follows each.
    """

    program: Callable[[Programs], list[str]]
    ports: Callable[[Mapping[str, str]], tuple[int, ...]] = lambda _environment: ()
    options: Mapping[str, bool] = field(default_factory=dict)

    def command_line(self, programs: Programs, arguments: Sequence[str]) -> list[str]:
        """Return the whole command line. Raises :class:`ArgumentsRefused` for an argument that is not an option."""
        waiting = list(reversed(arguments))
        while waiting:
            argument = waiting.pop()
            name, separator, _ = argument.partition("=")
            if name not in self.options or (separator and not self.options[name]):
                raise ArgumentsRefused(f"the local lab's program for this image does not take the argument {argument}")
            if self.options[name] and not separator:
                if not waiting:
                    raise ArgumentsRefused(f"a value is missing after the argument {name}")
                waiting.pop()
        return [*self.program(programs), *arguments]


def _module(name: str) -> Callable[[Programs], list[str]]:
    # -I: neither the folder that the program is started in nor PYTHON* variables decide what is imported.
    return lambda programs: [str(programs.python), "-I", "-m", name]


def _echo_ports(environment: Mapping[str, str]) -> tuple[int, ...]:
    ports = environment.get("HTTP_PORT") or "3000", environment.get("H2C_PORT") or "3001"
    return tuple(int(port) for port in ports if port.isdecimal())


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

IMAGES: Mapping[str, Image] = {
    ECHO_BASIC: Image(_module("calico_lab.local.kubelet.images.echo_basic"), _echo_ports),
    # Without --disable-hot-restart Envoy leaves a file in /dev/shm behind that keeps the next one from starting.
    ENVOY: Image(lambda programs: [str(programs.envoy), "--disable-hot-restart"], options=_ENVOY_OPTIONS),
    ENVOY_GATEWAY: Image(
        _module("calico_lab.local.controllers.envoy_gateway"), options={"server": False, "--config-path": True}
    ),
}
