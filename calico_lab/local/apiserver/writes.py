"""Create, change and delete: each write goes through the same steps as in the Kubernetes API server.

Decode, find unknown fields, complete (server-owned metadata, defaults), validate, deny what the lab does not implement,
store (https://kubernetes.io/docs/reference/using-api/api-concepts/).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from calico_lab import errors
from calico_lab.local.apiserver import (
    answers,
    apply,
    field_managers,
    metadata,
    metadata_rules,
    names,
    preconditions,
    validation,
)
from calico_lab.local.apiserver.bodies import DeleteOptions, WriteOptions, checked
from calico_lab.local.apiserver.defaults import apply_defaults
from calico_lab.local.apiserver.field_managers import APPLY, UPDATE, Manager
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.names import Generator
from calico_lab.local.apiserver.pruning import prune
from calico_lab.local.apiserver.registry import Registry
from calico_lab.local.apiserver.store import Store, Stored
from calico_lab.local.apiserver.strategies import NAMESPACES, Strategy
from calico_lab.local.wire import JsonObject

PERMANENT_NAMESPACES = ("default", "kube-system", "kube-public")
_PROPAGATION_FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}

Change = Callable[[JsonObject], JsonObject]
Entries = list[JsonObject]


class Writer:
    """Writes objects to the store; every method raises the ``ApiError`` that the client is to get."""

    def __init__(
        self, store: Store, registry: Registry, generator: Generator, strategies: dict[tuple[str, str], Strategy]
    ) -> None:
        self._store = store
        self._registry = registry
        self._generator = generator
        self._strategies = strategies
        self._no_strategy = Strategy()

    def create(
        self, kind: Kind, namespace: str, item: JsonObject, options: WriteOptions, managed: Entries | None = None
    ) -> JsonObject:
        """Create an object and return it as stored; ``managed`` is who manages it, where an apply has found that."""
        preconditions.require_type(kind, item)
        meta = item["metadata"]
        preconditions.place(kind, namespace, item)
        attempts = self._generate_name(kind, namespace, meta)
        name = meta.get("name", "")
        self._check_fields(kind, item, options)
        if self._store.get(kind.storage_key, namespace, name) is not None:
            raise answers.already_exists(kind, name)
        self._require_open_namespace(kind, namespace, name)
        if kind.denied:
            raise answers.not_implemented(kind, name, f"{kind.kind} of {kind.api_version}")
        metadata.start_life(kind, meta, self._generator.uid(self._store.resource_version))
        if kind.has_status:
            item.pop("status", None)
        self._complete(kind, item, None)
        options.warnings.extend(metadata_rules.finalizer_warnings(meta))
        item["metadata"]["managedFields"] = (
            self._managed(kind, {}, item, options, "", None) if managed is None else managed
        )
        if attempts and not options.dry_run:
            self._generator.spend(meta["generateName"], attempts)
        return self._store_or_show(kind, item, options)

    def update(
        self, kind: Kind, namespace: str, name: str, item: JsonObject, options: WriteOptions, subresource: str = ""
    ) -> JsonObject:
        """Replace an object, or what belongs to one of its subresources, and return it as stored."""
        preconditions.require_type(kind, item)
        preconditions.require_name(item, name)
        if kind.custom and not subresource and not item["metadata"].get("resourceVersion"):
            problem = FieldProblem(
                "metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0: must be specified for an update"
            )
            raise answers.invalid(kind, name, [problem])
        return self.change(kind, namespace, name, lambda _: item, options, subresource)

    def apply(
        self, kind: Kind, namespace: str, name: str, config: JsonObject, options: WriteOptions, subresource: str = ""
    ) -> tuple[JsonObject, bool]:
        """Apply a configuration; returns the object as stored, and whether it is new."""
        preconditions.require_type(kind, config)
        preconditions.place(kind, namespace, config)
        self._check_configuration(kind, name, config)
        schema = self._registry.schema(kind)
        manager = Manager(options.manager, APPLY, kind.api_version, subresource)
        if not subresource and self._store.get(kind.storage_key, namespace, name) is None:
            if config["metadata"].get("uid") or config["metadata"].get("resourceVersion"):
                raise answers.not_found(kind, name)
            item, managed = apply.applied(kind, schema, {}, config, manager, force=options.force)
            return self.create(kind, namespace, item, options, managed), True

        def changed(live: JsonObject) -> JsonObject:
            item, entries = apply.applied(kind, schema, live, config, manager, force=options.force)
            return item | {"metadata": item["metadata"] | {"managedFields": entries}}

        return self.change(kind, namespace, name, changed, options, subresource, applying=True), False

    def _check_configuration(self, kind: Kind, name: str, config: JsonObject) -> None:
        preconditions.require_name(config, name)
        if "managedFields" in config["metadata"]:
            raise errors.BadRequest("metadata.managedFields must be nil")
        schema = self._registry.schema(kind)
        if schema is not None and (unknown := validation.unknown_fields(schema, config)):
            path = unknown[0].removeprefix('unknown field "').removesuffix('"')
            subject = f"({_full_name(config)}; {kind.api_version}, Kind={kind.kind})"
            raise errors.BadRequest(
                f"failed to create typed patch object {subject}: .{path}: field not declared in schema"
            )

    def change(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        change: Change,
        options: WriteOptions,
        subresource: str = "",
        *,
        applying: bool = False,
    ) -> JsonObject:
        """Read an object, let ``change`` make a new one of it, and write that; returns it as stored.

        ``applying`` says that ``change`` has found out who manages which fields.
        """
        stored = self._existing(kind, namespace, name)
        old = stored.in_version(kind.api_version)
        item = checked(change(json.loads(stored.encoded(kind.api_version))))
        preconditions.require_type(kind, item)
        preconditions.place(kind, namespace, item)
        preconditions.require_name(item, name)
        preconditions.require_current(kind, item["metadata"], old["metadata"])
        metadata.carry_over(item["metadata"], old["metadata"])
        given = item["metadata"].pop("managedFields", None)
        self._check_fields(kind, item, options)
        item = metadata.without_managers(_of_subresource(kind, item, old, subresource))
        self._complete(kind, item, _as_bound(item, old) if subresource == "binding" else old)
        options.warnings.extend(metadata_rules.finalizer_warnings(item["metadata"]))
        if subresource != "status":
            metadata.count_generation(kind, item, old)
        before = metadata.without_managers(old)
        managed = old["metadata"].get("managedFields", [])
        if item == before and given in (None, managed):
            return old
        item["metadata"]["managedFields"] = (
            given if applying else self._managed(kind, before, item, options, subresource, given, managed)
        )
        if metadata.is_finished(kind, item) and not options.dry_run:
            return self._remove(kind, self._store_or_show(kind, item, options)).item
        return self._store_or_show(kind, item, options)

    def delete(self, kind: Kind, namespace: str, name: str, options: DeleteOptions) -> JsonObject:
        """Delete an object, or mark it as to be deleted; returns the answer: a Status, or the object still there."""
        stored = self._existing(kind, namespace, name)
        self._require_deletable(kind, stored.item, options)
        item: JsonObject = json.loads(stored.encoded(stored.item["apiVersion"]))
        meta = item["metadata"]
        grace = metadata.grace_of(kind, item, options.grace_seconds)
        first = "deletionTimestamp" not in meta
        if first or grace < meta.get("deletionGracePeriodSeconds", 0):
            metadata.mark_deleted(kind, meta, grace)
        finalizer = _PROPAGATION_FINALIZERS.get(options.propagation)
        if finalizer and first:
            meta["finalizers"] = [*(meta.get("finalizers") or []), finalizer]
        if kind.storage_key == NAMESPACES:
            item["status"] = (item.get("status") or {}) | {"phase": "Terminating"}
        if metadata.is_finished(kind, item):
            if not options.dry_run:
                self._store.remove(kind.storage_key, namespace, name)
            return answers.success(kind, name, meta["uid"])
        return item if item == stored.item or options.dry_run else self._store.put(kind.storage_key, item).item

    def _existing(self, kind: Kind, namespace: str, name: str) -> Stored:
        stored = self._store.get(kind.storage_key, namespace, name)
        if stored is None:
            raise answers.not_found(kind, name)
        return stored

    def _generate_name(self, kind: Kind, namespace: str, meta: JsonObject) -> int:
        """Give a nameless object with a generateName the next free name; returns how many were tried."""
        if meta.get("name") or not meta.get("generateName"):
            return 0
        for attempt in itertools.count():
            name = self._generator.name(meta["generateName"], attempt)
            if self._store.get(kind.storage_key, namespace, name) is None:
                break
        meta["name"] = name
        return attempt + 1

    def _check_fields(self, kind: Kind, item: JsonObject, options: WriteOptions) -> None:
        schema = self._registry.schema(kind)
        if not kind.custom and (problem := validation.type_error(kind.kind, schema, item)):
            raise errors.BadRequest(problem)
        if schema is None:
            return
        unknown = validation.unknown_fields(schema, item) if options.field_validation != "Ignore" else []
        unknown = [*options.duplicates, *unknown]
        if unknown and options.field_validation == "Strict":
            strict = f"strict decoding error: {', '.join(unknown)}"
            subject = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            raise errors.BadRequest(strict if kind.custom else subject + strict)
        options.warnings.extend(unknown)
        prune(schema, item)

    def _complete(self, kind: Kind, item: JsonObject, old: JsonObject | None) -> None:
        """Fill in what the server adds, refuse what is wrong, deny what the lab cannot do."""
        name = item["metadata"].get("name", "")
        schema = self._registry.schema(kind)
        strategy = self._strategies.get(kind.storage_key, self._no_strategy)
        strategy.prepare(item, old)
        apply_defaults(kind.group, kind.kind, schema, item)
        others = self._others(kind, item) if kind.group == "projectcalico.org" else []
        problems = names.metadata_problems(kind, item["metadata"])
        problems += metadata_rules.ownership_problems(item["metadata"], old and old["metadata"])
        problems += validation.problems(kind.group, kind.version, kind.kind, schema, item, old, others)
        if problems:
            raise answers.invalid(kind, name, problems)
        if missing := validation.unsupported(kind.group, kind.kind, item):
            raise answers.not_implemented(kind, name, ", ".join(missing))
        if problems := strategy.complete(item, old):
            raise answers.invalid(kind, name, problems)

    def _managed(
        self,
        kind: Kind,
        old: JsonObject,
        new: JsonObject,
        options: WriteOptions,
        subresource: str,
        given: Any,
        before: Any = (),
    ) -> Entries:
        """Return who manages which fields after a write; a client may say so itself, and ``[{}]`` forgets all."""
        if given == [{}]:
            return []
        managers = field_managers.read(given) or field_managers.read(before)
        schema = field_managers.with_metadata(self._registry.schema(kind))
        if kind.has_status and not old:
            new = {key: value for key, value in new.items() if key != "status"}
        manager = Manager(options.manager, UPDATE, kind.api_version, subresource)
        return field_managers.write(field_managers.after_update(schema, managers, manager, old, new))

    def _others(self, kind: Kind, item: JsonObject) -> list[JsonObject]:
        """Return the objects that a Calico resource may clash with, as address pools do."""
        return [other for other in self._store.each(kind.storage_key) if not _is_same(other, item)]

    def _store_or_show(self, kind: Kind, item: JsonObject, options: WriteOptions) -> JsonObject:
        if options.dry_run:
            return item
        version = kind.storage_version or kind.version
        item["apiVersion"] = f"{kind.group}/{version}" if kind.group else version
        return self._store.put(kind.storage_key, item).in_version(kind.api_version)

    def _remove(self, kind: Kind, item: JsonObject) -> Stored:
        meta = item["metadata"]
        return self._store.remove(kind.storage_key, meta.get("namespace", ""), meta["name"])

    def _require_open_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        stored = self._store.get(NAMESPACES, "", namespace)
        if stored is None:
            details = {"name": namespace, "kind": "namespaces"}
            raise errors.NotFound(f'namespaces "{namespace}" not found', details=details)
        if "deletionTimestamp" in stored.item["metadata"]:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise answers.forbidden(kind, name, why)

    def _require_deletable(self, kind: Kind, item: JsonObject, options: DeleteOptions) -> None:
        meta = item["metadata"]
        name = meta["name"]
        for what, wanted, found in (
            ("UID", options.uid, meta["uid"]),
            ("ResourceVersion", options.resource_version, meta["resourceVersion"]),
        ):
            if wanted and wanted != found:
                why = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
                raise answers.conflict(kind, name, why)
        if kind.storage_key == NAMESPACES and name in PERMANENT_NAMESPACES:
            raise answers.forbidden(kind, name, "this namespace may not be deleted")


def _of_subresource(kind: Kind, item: JsonObject, old: JsonObject, subresource: str) -> JsonObject:
    """Return the object with only that changed which the endpoint may change."""
    if subresource == "status":
        result = old | ({"status": item["status"]} if "status" in item else {})
        # Built-in kinds let annotations through: the deployment controller writes its revision with the status.
        annotations = {} if kind.custom else {"annotations": item["metadata"].get("annotations")}
        kept = old["metadata"] | annotations
        return json_copy(result | {"metadata": {key: value for key, value in kept.items() if value is not None}})
    if subresource == "finalize":
        return json_copy(old | {"spec": item.get("spec") or {}})
    kept_names = {"status"} if kind.has_status and subresource != "binding" else set()
    kept_names |= {"spec"} if "finalize" in kind.subresources else set()
    kept = {name: old[name] for name in kept_names if name in old}
    return {key: value for key, value in item.items() if key not in kept_names} | json_copy(kept)


def _full_name(item: JsonObject) -> str:
    meta = item["metadata"]
    return "/".join(str(meta[key]) for key in ("namespace", "name") if key in meta)


def _as_bound(pod: JsonObject, old: JsonObject) -> JsonObject:
    """Return what a pod was before its binding, with the node that only a binding may write."""
    return old | {"spec": old["spec"] | {"nodeName": pod["spec"]["nodeName"]}}


def _is_same(one: JsonObject, other: JsonObject) -> bool:
    return all(one["metadata"].get(name) == other["metadata"].get(name) for name in ("namespace", "name"))


def json_copy(item: JsonObject) -> JsonObject:
    """Return a copy that shares nothing with an object."""
    copy: JsonObject = json.loads(json.dumps(item))
    return copy
