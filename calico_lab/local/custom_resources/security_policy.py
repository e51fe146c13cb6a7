"""The schema of SecurityPolicy (Envoy Gateway 1.5.9).

Fields that the lab does not implement stand here by their name alone: they are denied by it.
"""

from __future__ import annotations

from calico_lab.local.custom_resources.common import POLICY_STATUS, SECRET_REFERENCE
from calico_lab.local.custom_resources.policy_targets import FIELDS, target_rules
from calico_lab.local.custom_resources.structural import ANYTHING, record, text

_TARGETS = ["Gateway", "HTTPRoute", "GRPCRoute"]
_BY_NAME_ALONE = ("apiKeyAuth", "authorization", "cors", "extAuth", "jwt", "oidc")

SECURITY_POLICY = record(
    {
        "spec": record(
            {
                **dict.fromkeys(_BY_NAME_ALONE, ANYTHING),
                **FIELDS,
                "basicAuth": record({"forwardUsernameHeader": text(), "users": SECRET_REFERENCE}, required=["users"]),
            },
            rules=target_rules(_TARGETS, "Gateway/HTTPRoute/GRPCRoute", sections=True),
        ),
        "status": POLICY_STATUS,
    },
    required=["spec"],
)
