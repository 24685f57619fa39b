"""OpenID Connect (`users[].user.auth-provider`, name oidc): an id-token and its refresh."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec

from reactor.errors import Fatal, Retryable
from reactor.kube import tls
from reactor.kube.credentials import Identity
from reactor.kube.target import Section
from reactor.kube.tokens import basic, bearer

_AHEAD = 10.0  # seconds before the expiry at which we refresh, as kubectl does
_TIMEOUT = aiohttp.ClientTimeout(total=20)


class _Claims(msgspec.Struct):
    exp: float | None = None


class Oidc:
    """Keeps the id-token; asks the issuer for another with the refresh token."""

    def __init__(
        self,
        user: Section,
        *,
        clock: Callable[[], float],
        persist: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._clock = clock
        self._persist = persist
        provider = user.fields["auth-provider"]
        self._where = f"{user.where}.auth-provider"
        name = provider.get("name") if isinstance(provider, dict) else None
        if name != "oidc":
            raise Fatal(
                f"{self._where}.name is {name!r}: kubectl dropped all but oidc, and so do we;"
                " use an exec plugin"
            )
        config = provider.get("config")
        if not isinstance(config, dict):
            raise Fatal(f"{self._where}.config is missing: it needs idp-issuer-url and id-token")
        self._config = Section(f"{self._where}.config", user.folder, config)
        self._issuer = self._required("idp-issuer-url")
        self._client = self._required("client-id")
        self._secret = self._config.text("client-secret") or ""
        self._id_token = self._config.text("id-token")
        self._refresh_token = self._config.text("refresh-token")
        if not self._id_token and not self._refresh_token:
            raise Fatal(f"{self._config.where} has neither id-token nor refresh-token: log in")
        authority = self._config.material("idp-certificate-authority")
        self._tls = tls.context(authority=authority, verify=True, where=self._config.where)

    async def fetch(self, *, rejected: bool) -> Identity:
        """The id-token while it is valid, else a refreshed one."""
        if self._id_token and not rejected:
            expiry = _expiry(self._id_token)
            if expiry is None or self._clock() < expiry - _AHEAD:
                return self._identity(self._id_token)
        if not self._refresh_token:
            raise Retryable(f"{self._config.where}: the id-token is over, with no refresh-token")
        answer = await self._ask(self._refresh_token)
        token, again = answer.get("id_token"), answer.get("refresh_token")
        if not isinstance(token, str):
            raise Retryable(f"{self._config.where}: {self._issuer} answered without an id_token")
        self._id_token = token
        if isinstance(again, str) and again:  # an issuer may keep the old one valid instead
            self._refresh_token = again
        self._persist({"id-token": token, "refresh-token": self._refresh_token})
        return self._identity(token)

    async def _ask(self, refresh_token: str) -> dict[str, Any]:
        well_known = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with aiohttp.ClientSession(
                timeout=_TIMEOUT,
                connector=aiohttp.TCPConnector(ssl=self._tls),
                raise_for_status=True,
                trust_env=True,
            ) as session:
                async with session.get(well_known) as answer:
                    endpoint = (await answer.json(content_type=None))["token_endpoint"]
                async with session.post(
                    endpoint,
                    data={"grant_type": "refresh_token", "refresh_token": refresh_token},
                    headers={"Authorization": basic(self._client, self._secret)},
                ) as answer:
                    found = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise Retryable(
                f"{self._config.where}: no new token from {self._issuer}: {error or 'timed out'}"
            ) from error
        if not isinstance(found, dict):
            raise Retryable(f"{self._config.where}: {self._issuer} answered no JSON object")
        return found

    def _identity(self, token: str) -> Identity:
        try:
            authorization = bearer(token)
        except ValueError as error:
            raise Retryable(f"{self._config.where}.id-token: {error}") from error
        expiry = _expiry(token)
        return Identity(authorization, until=expiry - _AHEAD if expiry else None)

    def _required(self, field: str) -> str:
        value = self._config.text(field)
        if value is None:
            raise Fatal(f"{self._config.where}.{field} is missing: log in again")
        return value


def _expiry(token: str) -> float | None:
    """Seconds of the epoch, None when the token doesn't say (or isn't a JWT)."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(claims, type=_Claims).exp
    except ValueError:  # binascii.Error and msgspec's errors are ValueErrors
        return None
