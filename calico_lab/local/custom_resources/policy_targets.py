"""What a policy of Envoy Gateway's is about: its targets, by name or by their labels (Envoy Gateway 1.5.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calico_lab.local.custom_resources.common import GATEWAY_GROUP, NAME, SECTION_NAME, SELECTOR, group, kind
from calico_lab.local.custom_resources.rules import Rule, rule
from calico_lab.local.custom_resources.structural import listing, record
from calico_lab.local.wire import JsonObject

_TARGET = record(
    {"group": group(), "kind": kind(), "name": NAME, "sectionName": SECTION_NAME}, required=["group", "kind", "name"]
)
_SELECTOR = record(
    {
        "group": group(GATEWAY_GROUP),
        "kind": kind(),
        "matchExpressions": SELECTOR["properties"]["matchExpressions"],
        "matchLabels": SELECTOR["properties"]["matchLabels"],
    },
    required=["kind"],
    rules=[
        rule(
            f"group must be {GATEWAY_GROUP}",
            f"self.group == '{GATEWAY_GROUP}'",
            lambda selector: selector["group"] == GATEWAY_GROUP,
        )
    ],
)
FIELDS: JsonObject = {
    "targetRef": _TARGET,
    "targetRefs": listing(_TARGET),
    "targetSelectors": listing(_SELECTOR),
}


def target_rules(kinds: Sequence[str], shown: str, *, sections: bool) -> list[Rule]:
    """Return the rules about the targets of a policy: the kinds it can have, ``shown`` as messages write them.

    Without ``sections`` a target must not name a section.
    """
    return [
        rule(
            "either targetRef or targetRefs must be used",
            "has(self.targetRef) != has(self.targetRefs) || size(self.?targetSelectors.orValue([])) > 0",
            lambda policy: ("targetRef" in policy) != ("targetRefs" in policy) or bool(policy.get("targetSelectors")),
        ),
        *_rules(kinds, shown, "targetRef", "targetRef", "(has(self.targetRef) ? [self.targetRef] : [])", sections),
        *_rules(kinds, shown, "targetRefs", "targetRefs[*]", "self.?targetRefs.orValue([])", sections),
    ]


def _rules(kinds: Sequence[str], shown: str, field: str, written: str, whole: str, sections: bool) -> list[Rule]:
    found = [
        rule(
            f"this policy can only have a {written}.group of {GATEWAY_GROUP}",
            f"{whole}.all(t, t.group == '{GATEWAY_GROUP}')",
            lambda policy: all(target["group"] == GATEWAY_GROUP for target in _targets(policy, field)),
        ),
        rule(
            f"this policy can only have a {written}.kind of {shown}",
            f"{whole}.all(t, t.kind in {list(kinds)})",
            lambda policy: all(target["kind"] in kinds for target in _targets(policy, field)),
        ),
    ]
    if not sections:
        found.append(
            rule(
                "this policy does not yet support the sectionName field",
                f"{whole}.all(t, !has(t.sectionName))",
                lambda policy: not any("sectionName" in target for target in _targets(policy, field)),
            )
        )
    return found


def _targets(policy: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    value = policy.get(field) or []
    return value if isinstance(value, list) else [value]
