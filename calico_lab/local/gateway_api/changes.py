"""What a route changes in requests on their way to a backend, and in the answers on their way back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeaderChanges:
    """Headers, as (name, value), that are set or added, and the names of those that are removed before."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.set or self.add or self.remove)


NO_HEADERS = HeaderChanges()


@dataclass(frozen=True)
class PathChange:
    """The whole path becomes ``value``; with ``only_prefix`` the prefix by which it was matched does."""

    value: str
    only_prefix: bool = False


@dataclass(frozen=True)
class Redirect:
    """The client is sent elsewhere; what is empty or None stays as it was asked for."""

    status: int = 302
    scheme: str = ""
    hostname: str = ""
    port: int | None = None
    path: PathChange | None = None


@dataclass(frozen=True)
class Rewrite:
    """The backend is asked for another host or path than the client asked for."""

    hostname: str = ""
    path: PathChange | None = None


@dataclass(frozen=True)
class Changes:
    """All that the filters of a rule, or of one of its backendRefs, change."""

    request_headers: HeaderChanges = NO_HEADERS
    response_headers: HeaderChanges = NO_HEADERS
    redirect: Redirect | None = None
    rewrite: Rewrite | None = None

    def __bool__(self) -> bool:
        return bool(self.request_headers or self.response_headers or self.redirect or self.rewrite)


NO_CHANGES = Changes()
