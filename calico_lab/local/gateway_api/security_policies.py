"""SecurityPolicies: who may ask a route. Checks and words are those of Envoy Gateway 1.5.9.

Where that passes on what Envoy then refuses to load, with the whole Gateway's configuration, the fault stands in the
condition here.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from calico_lab.local.gateway_api.conditions import sentence
from calico_lab.local.gateway_api.model import BasicAuthentication
from calico_lab.local.gateway_api.policies import Attachments, Target
from calico_lab.local.gateway_api.world import ObjectName, World, name_of
from calico_lab.local.wire import JsonObject

USERS_KEY = ".htpasswd"
# What Envoy reads of a user (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/basic_auth_filter):
# SHA-1 in base64.
_HASH = re.compile(r"\{SHA\}[A-Za-z0-9+/]{27}=")


@dataclass(frozen=True)
class Security:
    """What a policy asks for; with a ``fault``, a condition's message, requests are answered 500."""

    authentication: BasicAuthentication | None = None
    fault: str = ""


class SecurityPolicies(Attachments[Security]):
    """The SecurityPolicies in force."""

    def __init__(self, world: World) -> None:
        super().__init__("SecurityPolicy", "securityPolicies", self._read_policy)
        self._world = world

    def security(self, route: Target, gateway: ObjectName) -> Security:
        """Return what applies to a route by way of a Gateway."""
        return self.settings(route, gateway) or Security()

    def _read_policy(self, policy: JsonObject, _merged_with: JsonObject | None) -> Security:
        spec = policy["spec"].get("basicAuth")
        if spec is None:
            return Security()
        try:
            users = _users(self._world, spec["users"], policy["metadata"]["namespace"])
        except ValueError as error:
            return Security(fault=sentence(f"BasicAuth: {error}"))
        header = spec.get("forwardUsernameHeader", "")
        if not header.isprintable():
            return Security(fault=f"BasicAuth: invalid forwardUsernameHeader {header!r}.")
        return Security(BasicAuthentication(f"securitypolicy/{name_of(policy)}", users, header))


def _users(world: World, reference: JsonObject, namespace: str) -> str:
    """Return the users that a Secret lists, as ``htpasswd -s`` writes them."""
    if reference.get("group", "") != "" or reference.get("kind", "Secret") != "Secret":
        raise ValueError("secret ref group must be unspecified/empty, and its kind Secret")
    if reference.get("namespace", namespace) != namespace:
        raise ValueError("secret ref namespace must be unspecified/empty or " + namespace)
    name = ObjectName(namespace, reference["name"])
    secret = world.secrets_by_name.get(name)
    if secret is None:
        raise ValueError(f"secret {name} does not exist")
    content = (secret.get("data") or {}).get(USERS_KEY)
    if not content:
        raise ValueError(f"users secret not found in secret {name}")
    try:
        text = base64.b64decode(content).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("invalid htpasswd format: it is not text") from None
    _check(text)
    return text


def _check(text: str) -> None:
    seen: set[str] = set()
    for line in filter(None, map(str.strip, text.split("\n"))):
        user, colon, password = line.partition(":")
        if not colon:
            raise ValueError("invalid htpasswd format: each line must be in the format 'username:password'")
        if not password.startswith("{SHA}"):
            raise ValueError("unsupported htpasswd format: please use {SHA}")
        if not user or user in seen or not _HASH.fullmatch(password):
            raise ValueError("invalid htpasswd format: each user once, with a name and the SHA-1 of a password")
        seen.add(user)
