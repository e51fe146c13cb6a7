"""YAML as one types it for ``kubectl apply``: which objects it is about, and in which namespace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

JsonObject = dict[str, Any]

# The namespace that the guide's manifests name.
GUIDE_NAMESPACE = "default"


def documents(text: str) -> Iterator[JsonObject]:
    """Yield the objects of one or more YAML documents, and of lists; what is no object is for kubectl to refuse."""
    import yaml

    try:
        read = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return
    for document in read:
        items = document.get("items", [document]) if isinstance(document, dict) else ()
        yield from (item for item in items if _is_object(item))


def in_namespace(text: str, namespace: str) -> str:
    """Return manifests with the learner's namespace wherever they name the guide's, in references too."""
    return re.sub(
        rf"^([\s-]*namespace:[ \t]*)(['\"]?){GUIDE_NAMESPACE}\2[ \t]*$", rf"\g<1>{namespace}", text, flags=re.MULTILINE
    )


def _is_object(item: Any) -> bool:
    return isinstance(item, dict) and "kind" in item and bool((item.get("metadata") or {}).get("name"))
