"""One experiment on load balancing: so many pods, requests, connections and Envoy workers, under one policy.

Runs in the lab as it stands after the step ``route``, and leaves it changed as the experiment asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calico_lab import conditions
from calico_lab.errors import PrerequisiteError, StepError
from calico_lab.lab import Lab
from calico_lab.lessons import counts, numbered, rotation, waits
from calico_lab.lessons.evenness import Evenness, judge
from calico_lab.lessons.steps import GATEWAY, gateway_address, manifest
from calico_lab.tools import hey

POLICIES = ("RoundRobin", "Random", "LeastRequest")
# The most that may be asked for: what a laptop's lab can bear.
LIMITS = {"replicas": 8, "requests": 1000, "concurrency": 100, "workers": 4}
SECONDS = 3.0  # over which requests are spread, as far as hey's limit of a rate for each connection allows
TIME_LIMIT = 60.0
SETTLE_SECONDS = 0.3  # in which Envoy takes over a configuration that the policy's status already tells of
PROXY = "workers"
_ONE_ENVOY = "{type: Kubernetes, kubernetes: {envoyDeployment: {replicas: 1}}}"


@dataclass(frozen=True)
class Settings:
    """What is to be tried. Raises ``StepError`` for what cannot be."""

    replicas: int = 4
    requests: int = 100
    concurrency: int = 1
    workers: int = 1
    policy: str = "RoundRobin"

    def __post_init__(self) -> None:
        for name, most in LIMITS.items():
            if not 1 <= getattr(self, name) <= most:
                raise StepError(f"{name} must be from 1 to {most}, not {getattr(self, name)}")
        if self.concurrency > self.requests:
            raise StepError(f"{self.requests} requests cannot keep {self.concurrency} connections busy")
        if self.policy not in POLICIES:
            raise StepError(f"there is no policy {self.policy!r}; there are: {', '.join(POLICIES)}")

    @property
    def sent(self) -> int:
        """How many requests hey sends of those that it is asked for."""
        return hey.requests_sent(self.requests, self.concurrency)

    def command(self, address: str) -> str:
        """Return the command to run on the bastion."""
        rate = max(1, round(self.requests / self.concurrency / SECONDS))
        load = f"-n {self.requests} -c {self.concurrency} -q {rate} -t 5"
        return f'hey {load} -host "www.example.com" http://{address}/round'


@dataclass(frozen=True)
class Seen:
    """Which pods got the requests so far, one after the other, as numbers from 1; and the settings."""

    settings: Settings
    sequence: tuple[int, ...]

    @property
    def evenness(self) -> Evenness:
        """The requests for each pod, judged against the bound of the workers."""
        pods = range(1, self.settings.replicas + 1)
        return judge([self.sequence.count(pod) for pod in pods], self.settings.workers)


def set_up(lab: Lab, settings: Settings) -> str:
    """Bring about what the settings ask for, and return the gateway's address."""
    if not lab.cluster.exists("HTTPRoute", "round-robin-route"):
        raise PrerequisiteError("there is no route to try it on", remedy='lab.begin("route")')
    lab.cluster.apply("---\n".join(_manifests(settings)))
    waits.until(
        lambda: _is_set_up(lab, settings), "the pods, Envoy and the policy are as asked for",
        remedy="kubectl get pods --all-namespaces", time_limit=TIME_LIMIT, poll_seconds=SETTLE_SECONDS, shown=False,
    )  # fmt: skip
    return gateway_address(lab)


def run(lab: Lab, settings: Settings, address: str, show: Callable[[Seen], None]) -> Seen:
    """Send the requests, have the results shown as they come in, and return the last of them."""
    from concurrent.futures import ThreadPoolExecutor
    from concurrent.futures import TimeoutError as StillRunning

    before = len(_sequence(lab))

    def look() -> Seen:
        return Seen(settings, _sequence(lab)[before:])

    with ThreadPoolExecutor(1) as bastion:
        load = bastion.submit(lab.bastion.run, settings.command(address), time_limit=TIME_LIMIT)
        while not load.done():
            try:
                load.result(timeout=SETTLE_SECONDS)
            except StillRunning:
                show(look())
        load.result()
    seen = look()
    show(seen)
    return seen


def repeat(lab: Lab, settings: Settings, address: str, times: int = 1) -> tuple[Evenness, ...]:
    """Send the requests so many times, as fast as they are answered, and judge every run by itself.

    In the lab as it stands: of the settings, those about the load are used, and the others to judge it.
    """
    path = numbered.new_path()
    load = f"-n {settings.requests} -c {settings.concurrency} -t 5"
    lab.bastion.run(numbered.command(path, address, times, load), time_limit=TIME_LIMIT)
    pairs = numbered.found(lab.cluster, path, times * settings.sent)
    pods = range(1, settings.replicas + 1)
    return tuple(judge([pairs.count((run, pod)) for pod in pods], settings.workers) for run in range(1, times + 1))


def measure(lab: Lab, settings: Settings, times: int) -> tuple[Evenness, ...]:
    """Bring about what the settings ask for, then :func:`repeat`."""
    address = set_up(lab, settings)
    waits.envoy_workers(lab.cluster, GATEWAY, settings.workers, shown=False)
    return repeat(lab, settings, address, times)


def _sequence(lab: Lab) -> tuple[int, ...]:
    return rotation.last_requests(lab.cluster, 1_000_000).sequence


def _manifests(settings: Settings) -> list[str]:
    """Return the guide's manifests with the settings in them, and an EnvoyProxy for the number of workers."""
    backend = manifest("backend").replace("replicas: 4", f"replicas: {settings.replicas}")
    reference = f"parametersRef: {{group: gateway.envoyproxy.io, kind: EnvoyProxy, name: {PROXY}}}"
    proxy = (
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\n"
        f"metadata: {{name: {PROXY}}}\nspec: {{concurrency: {settings.workers}, provider: {_ONE_ENVOY}}}\n"
    )
    gateway = manifest("gateway").replace("spec:\n", f"spec:\n  infrastructure:\n    {reference}\n")
    route = manifest("route").replace("type: RoundRobin", f"type: {settings.policy}")
    return [backend, proxy, gateway, route]


def _is_set_up(lab: Lab, settings: Settings) -> bool:
    cluster = lab.cluster
    gateway, policy = cluster.get("Gateway", GATEWAY), cluster.get("BackendTrafficPolicy", "round-robin-policy")
    return (
        waits.all_pods_ready(cluster.get("Deployment", "backend"))
        and len(cluster.list("Pod", labels=counts.BACKEND)) == settings.replicas
        and conditions.is_true(gateway, "Programmed")
        and conditions.is_true(policy, "Accepted")
        and counts.rotors(cluster, GATEWAY) == settings.workers
        and _answers(lab, gateway)
    )


def _answers(lab: Lab, gateway: dict[str, Any]) -> bool:
    address = gateway["status"]["addresses"][0]["value"]
    return "[404]" in lab.bastion.run(f"hey -n 1 -c 1 -t 1 http://{address}/", check=False).output
