"""Judges objects as the API server does: decode, fill in defaults, deny what is not implemented, refuse."""

import copy
from pathlib import Path

import pytest
import yaml

from calico_lab.local import custom_resources
from calico_lab.local.apiserver import schema, validation
from calico_lab.local.apiserver.defaults import apply_defaults

SCHEMAS = schema.load()
CUSTOM = {
    (definition["spec"]["group"], version["name"], definition["spec"]["names"]["kind"]): version["schema"][
        "openAPIV3Schema"
    ]
    for definition in custom_resources.definitions()
    for version in definition["spec"]["versions"]
}


class Judge:
    """Answers in the words that a client reads."""

    def schema_of(self, item):
        group, _, version = item["apiVersion"].rpartition("/")
        key = group, version, item["kind"]
        return *key, SCHEMAS.structural(*key) or CUSTOM.get(key)

    def complete(self, item):
        """Return the object with its defaults."""
        item = copy.deepcopy(item)
        group, _version, kind, found = self.schema_of(item)
        apply_defaults(group, kind, found, item)
        return item

    def decode(self, item):
        """Return what the decoder says: the first wrong type, then unknown fields."""
        *_, kind, found = self.schema_of(item)
        wrong = validation.type_error(kind, found, item)
        return ([wrong] if wrong else []) + validation.unknown_fields(found, item)

    def unsupported(self, item):
        """Return the fields that the lab denies."""
        item = self.complete(item)
        group, _version, kind, _found = self.schema_of(item)
        return validation.unsupported(group, kind, item)

    def refuse(self, item, old=None, others=()):
        """Return "path: message" of every problem."""
        item, old = self.complete(item), old and self.complete(old)
        others = [self.complete(other) for other in others]
        found = validation.problems(*self.schema_of(item), item, old, others)
        return [f"{problem.path}: {problem.message}" for problem in found]


@pytest.fixture(scope="session")
def judge():
    return Judge()


@pytest.fixture
def guide():
    """The guide's objects by kind."""
    text = (Path(__file__).parent / "guide_objects.yaml").read_text()
    return {item["kind"]: item for item in yaml.safe_load_all(text)}


@pytest.fixture
def changed():
    """``changed(item, "spec.ports.0.port", 70000)``: a copy of an object with one value changed, or removed by None."""

    def change(item, path, value):
        copied = copy.deepcopy(item)
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place = copied
        for step in way:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        if value is None:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
        return copied

    return change
