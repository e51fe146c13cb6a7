"""How a program in a pod reaches the API server: by the address and the service account that the kubelet gave it.

See https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from calico_lab.local.wire import Handler, Request, Response

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONNECT_SECONDS = 5.0


@asynccontextmanager
async def connection(service_account: Path = SERVICE_ACCOUNT) -> AsyncIterator[Handler]:
    """Provide the handler for an ``ApiClient``, from the pod's environment and service account.

    The handler raises ``ConnectionError`` when the server cannot be reached or goes away, also in a stream. Raises
    ``KeyError`` or ``OSError`` where the environment or the account's files are missing.
    """
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    tls = ssl.create_default_context(cafile=service_account / "ca.crt")
    token = service_account / "token"
    # Watches go on for ever: only making a connection has a time limit, and there is no limit to their number.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    async with aiohttp.ClientSession(f"https://{host}:{port}", connector=connector, timeout=timeout) as session:

        async def handle(request: Request) -> Response:
            # Read each time: a kubelet renews tokens in place.
            authorization = {"authorization": f"Bearer {token.read_text().strip()}"}
            try:
                return await _send(session, request, authorization)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise ConnectionError(f"{request.method} {request.path}: {error}") from error

        yield handle


async def _send(session: aiohttp.ClientSession, request: Request, authorization: dict[str, str]) -> Response:
    answer = await session.request(
        request.method,
        request.path,
        params=request.query,
        headers={**request.headers, **authorization},
        data=request.body or None,
    )
    if request.parameter("watch") in ("true", "1") and answer.status == 200:
        return Response(answer.status, content_type=answer.content_type, stream=_stream(answer))
    async with answer:
        return Response(answer.status, await answer.read(), answer.content_type)


async def _stream(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        try:
            async for piece in answer.content.iter_any():
                yield piece
        except aiohttp.ClientError as error:
            raise ConnectionError(f"{answer.url.path}: {error}") from error
