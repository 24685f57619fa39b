"""Which cluster this is: by the uid of the API server's own Service, `default/kubernetes`."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import msgspec

from reactor.errors import ReactorError
from reactor.kube.requests import Requests

log = logging.getLogger(__name__)

# The API server makes it in a new cluster and keeps it. To list Services is a right that the
# adaptor has; to get the namespace kube-system, by which others know a cluster, is none.
SERVICE: Final = "default/kubernetes"
_NAMESPACE, _NAME = SERVICE.split("/")
_PATH: Final = f"/api/v1/namespaces/{_NAMESPACE}/services"


class _Meta(msgspec.Struct):
    uid: str


class _Service(msgspec.Struct):
    metadata: _Meta


class _Services(msgspec.Struct):
    items: list[_Service]


async def cluster_uid(connection: Requests, *, patience: float) -> str:
    """The cluster's uid; "" when nothing tells it within so many seconds, which is no error."""
    try:
        async with asyncio.timeout(patience):
            answer = await connection.request(
                "GET",
                _PATH,
                query={"fieldSelector": f"metadata.name={_NAME}"},
                timeout=patience,
                verb="list",
                resource="services",
            )
        found = msgspec.json.decode(answer.body, type=_Services)
    except (ReactorError, TimeoutError, msgspec.MsgspecError) as error:
        log.debug("could not learn which cluster this is: %s", error)
        return ""
    return next((service.metadata.uid for service in found.items), "")
