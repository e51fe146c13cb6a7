"""Names: which ones Kubernetes allows, and the ones that the server makes up.

Rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/. What Kubernetes draws at random is
derived here from the lab's seed, so that the same steps give the same names.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import Counter
from typing import Any

from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.wire import JsonObject

# Without vowels and look-alikes, so that no suffix is a word.
SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH = 5
LONGEST_GENERATED = 63

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
DNS_1035_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"

_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    f"an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
DNS_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    f"'{DNS_1035_LABEL}')"
)
_QUALIFIED_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{_LABEL_VALUE}')"
)
_PATH_SEGMENT = r"(?!\.{1,2}$)[^/%]+"
_PATH_SEGMENT_TEXT = "may not be '.' or '..', and may not contain '/' or '%'"
_RBAC_RULE = (_PATH_SEGMENT, 253, _PATH_SEGMENT_TEXT)
_NAME_RULES = {
    ("", "Service"): (DNS_1035_LABEL, 63, DNS_1035_TEXT),
    ("", "Namespace"): (_LABEL, 63, _LABEL_TEXT),
    **{
        ("rbac.authorization.k8s.io", kind): _RBAC_RULE
        for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    },
}


class Generator:
    """Makes names and uids up from a seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._used: Counter[str] = Counter()

    def name(self, prefix: str, attempt: int = 0) -> str:
        """Return a name for metadata.generateName: the prefix, cut where too long, and five characters."""
        prefix = _cut(prefix)
        number = int.from_bytes(self._digest("name", prefix, self._used[prefix] + attempt), "big")
        suffix = ""
        for _ in range(SUFFIX_LENGTH):
            number, index = divmod(number, len(SUFFIX_ALPHABET))
            suffix += SUFFIX_ALPHABET[index]
        return prefix + suffix

    def spend(self, prefix: str, attempts: int) -> None:
        """Go on to the next name of a prefix. A creation that failed spends none, so that a retry changes no name."""
        self._used[_cut(prefix)] += attempts

    def uid(self, count: int) -> str:
        """Return the uid of the ``count``-th object."""
        return str(uuid.UUID(bytes=self._digest("uid", count)[:16], version=4))

    def number(self, text: str, below: int) -> int:
        """Return a number that is always the same for a text, spread evenly below a limit."""
        return int.from_bytes(self._digest("number", text), "big") % below

    def _digest(self, *parts: Any) -> bytes:
        text = "/".join(map(str, (self._seed, *parts)))
        return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _cut(prefix: str) -> str:
    return prefix[: LONGEST_GENERATED - SUFFIX_LENGTH]


def metadata_problems(kind: Kind, metadata: JsonObject) -> list[FieldProblem]:
    """Return what is wrong with an object's name, namespace, labels and annotations."""
    return [
        *_name_problems(kind, metadata.get("name", "")),
        *(problem for key in metadata.get("annotations") or {} for problem in _key_problems("annotations", key)),
        *_label_problems(metadata.get("labels") or {}),
    ]


def _name_problems(kind: Kind, name: str) -> list[FieldProblem]:
    if not name:
        message = "Required value: name or generateName is required"
        return [FieldProblem("metadata.name", "FieldValueRequired", message)]
    pattern, limit, text = _NAME_RULES.get((kind.group, kind.kind), (_SUBDOMAIN, 253, _SUBDOMAIN_TEXT))
    reasons = [f"must be no more than {limit} characters"] if len(name) > limit else []
    reasons += [] if re.fullmatch(pattern, name) else [text]
    return [_invalid("metadata.name", name, reason) for reason in reasons]


def _label_problems(labels: dict[str, str]) -> list[FieldProblem]:
    problems = [problem for key in labels for problem in _key_problems("labels", key)]
    for value in labels.values():
        if len(value) > 63:
            problems.append(_invalid("metadata.labels", value, "must be no more than 63 characters"))
        elif not re.fullmatch(_LABEL_VALUE, value):
            problems.append(_invalid("metadata.labels", value, _LABEL_VALUE_TEXT))
    return problems


def _key_problems(field: str, key: str) -> list[FieldProblem]:
    detail = qualified_name_problem(key)
    return [_invalid(f"metadata.{field}", key, detail)] if detail else []


def subdomain_problem(text: str) -> str:
    """Return what keeps a text from being a DNS subdomain, or an empty string."""
    if len(text) > 253:
        return "must be no more than 253 characters"
    return "" if re.fullmatch(_SUBDOMAIN, text) else _SUBDOMAIN_TEXT


def qualified_name_problem(key: str) -> str:
    """Return what is wrong with a name like ``example.com/name``, empty where it is well-formed."""
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        return "prefix part " + _SUBDOMAIN_TEXT
    if len(name) > 63:
        return "name part must be no more than 63 characters"
    return "" if re.fullmatch(_QUALIFIED, name) else _QUALIFIED_TEXT


def _invalid(path: str, value: str, reason: str) -> FieldProblem:
    return FieldProblem(path, "FieldValueInvalid", f'Invalid value: "{value}": {reason}')
