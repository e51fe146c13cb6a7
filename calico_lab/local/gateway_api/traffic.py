"""What a BackendTrafficPolicy asks for, as plain values: times in seconds, names as in the policy.

``None`` stands for what the policy leaves to the default.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ConsistentHash:
    """What is hashed: ``source`` is SourceIP, Header or Cookie; the last two have a ``name``.

    A cookie with a ``lifetime`` is given to clients that have none; zero is one for the session.
    """

    source: str
    name: str = ""
    lifetime: float | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    table_size: int = 65537


@dataclass(frozen=True)
class Retry:
    """When a request is tried again, and how often."""

    number: int = 2
    triggers: tuple[str, ...] = (
        "connect-failure",
        "refused-stream",
        "unavailable",
        "cancelled",
        "retriable-status-codes",
    )
    statuses: tuple[int, ...] = (503,)
    attempts_per_priority: int | None = None
    timeout: float | None = None
    base_interval: float | None = None
    maximum_interval: float | None = None


@dataclass(frozen=True)
class CircuitBreaker:
    """How much may be under way to one destination at once; what is more is answered 503."""

    connections: int | None = None
    pending_requests: int | None = None
    parallel_requests: int | None = None
    parallel_retries: int = 1024
    requests_per_connection: int | None = None
    connections_per_endpoint: int | None = None


@dataclass(frozen=True)
class ActiveHealthCheck:
    """What is asked of each endpoint, without a client: over HTTP where ``path`` is given, else over TCP.

    Payloads are base64, as the policy's binary ones.
    """

    timeout: float = 1.0
    interval: float = 3.0
    initial_jitter: float | None = None
    unhealthy_threshold: int = 3
    healthy_threshold: int = 1
    path: str = ""
    method: str = ""
    hostname: str = ""
    expected_statuses: tuple[int, ...] = ()
    send: str = ""
    receive: str = ""


@dataclass(frozen=True)
class PassiveHealthCheck:
    """When an endpoint that answers badly is left out for a while."""

    interval: float = 3.0
    consecutive_5xx: int | None = 5
    consecutive_gateway_errors: int | None = 0
    consecutive_local_failures: int | None = 5
    split_local_failures: bool = False
    base_ejection: float = 30.0
    maximum_ejection_percent: int | None = 10


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@dataclass(frozen=True)
class HeaderSelector:
    """A header that selects clients: by its ``value``, or, where that is None, each value a client of its own."""

    name: str
    value: str | None = None
    regular_expression: bool = False
    inverted: bool = False


@dataclass(frozen=True)
class AddressSelector:
    """A network of clients, IPv4 or IPv6; ``distinct``: each address in it is a client of its own."""

    network: str
    prefix_length: int
    version: int = 4
    distinct: bool = False


@dataclass(frozen=True)
class RateLimitRule:
    """The limit of the clients that all selectors select."""

    limit: Limit
    headers: tuple[HeaderSelector, ...] = ()
    addresses: AddressSelector | None = None


@dataclass(frozen=True)
class RateLimit:
    """The limits of one proxy: a request that no rule counts goes by the ``default``."""

    default: Limit
    rules: tuple[RateLimitRule, ...] = ()


@dataclass(frozen=True)
class Traffic:
    """How requests go to a destination, as a BackendTrafficPolicy says or leaves to the default.

    With a ``fault`` the policy can't be applied: requests are answered 500.
    """

    load_balancer: str = "LeastRequest"
    consistent_hash: ConsistentHash | None = None
    slow_start: float | None = None
    retry: Retry | None = None
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    active_health_check: ActiveHealthCheck | None = None
    passive_health_check: PassiveHealthCheck | None = None
    panic_threshold: int | None = None
    rate_limit: RateLimit | None = None
    connect_timeout: float | None = None
    request_timeout: float | None = None
    connection_idle_timeout: float | None = None
    connection_duration: float | None = None
    fault: str = ""
