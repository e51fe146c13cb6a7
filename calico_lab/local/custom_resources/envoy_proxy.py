"""The schema of EnvoyProxy (Envoy Gateway 1.5.9).

Fields that the lab does not implement stand here by their name alone: they are denied by it.
"""

from __future__ import annotations

from calico_lab.local.custom_resources.rules import rule
from calico_lab.local.custom_resources.structural import ANYTHING, flag, integer, mapping, record, text

_PROVIDER = record(
    {
        "kubernetes": record(
            {
                "envoyDaemonSet": ANYTHING,
                "envoyDeployment": record(
                    {
                        **dict.fromkeys(("initContainers", "name", "patch", "pod", "strategy"), ANYTHING),
                        "container": record({"image": text()}) | ANYTHING,
                        "replicas": integer(form="int32"),
                    }
                ),
                **dict.fromkeys(("envoyHpa", "envoyPDB", "envoyService", "useListenerPortAsContainerPort"), ANYTHING),
            },
            rules=[
                rule(
                    "only one of envoyDeployment or envoyDaemonSet can be specified",
                    "!has(self.envoyDeployment) || !has(self.envoyDaemonSet)",
                    lambda value: "envoyDeployment" not in value or "envoyDaemonSet" not in value,
                )
            ],
        ),
        "type": text(choices=["Kubernetes", "Custom"]),
    },
    required=["type"],
)

_PROXY_FIELDS_BY_NAME_ALONE = (
    "backendTLS", "bootstrap", "extraArgs", "filterOrder", "ipFamily", "luaValidation", "routingType", "shutdown",
    "telemetry",
)  # fmt: skip

ENVOY_PROXY = record(
    {
        "spec": record(
            {
                **dict.fromkeys(_PROXY_FIELDS_BY_NAME_ALONE, ANYTHING),
                "concurrency": integer(form="int32"),
                "logging": record(
                    {
                        "level": mapping(text(choices=["trace", "debug", "info", "warn", "error"]))
                        | {"default": {"default": "warn"}}
                    },
                    default={"level": {"default": "warn"}},
                ),
                "mergeGateways": flag(),
                "preserveRouteOrder": flag(),
                "provider": _PROVIDER,
            }
        ),
        "status": ANYTHING | {"type": "object"},
    }
)
