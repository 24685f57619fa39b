"""Names of Services, authorities and profiles."""

from __future__ import annotations

import re

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


class CrossNamespaceError(ValueError):
    """A name that means a Service of another namespace."""


def authority(service: str, namespace: str, domain: str) -> str:
    """Return the name that clients address, and that overrides carry."""
    return f"{service}.{namespace}.svc.{domain}"


def profile_name(service: str, namespace: str, domain: str) -> str:
    """Return the name of a Service's profile: its authority, as Linkerd looks it up."""
    return authority(service, namespace, domain)


def service_of_profile(name: str, namespace: str, domain: str) -> str | None:
    """Return the Service that a profile is for; None when it is not one of this cluster's."""
    service = name.removesuffix(f".{namespace}.svc.{domain}")
    return service if service != name and _LABEL.fullmatch(service) else None


def local_service(text: str, namespace: str, domain: str) -> str:
    """Return the bare Service name that ``text`` means in ``namespace``.

    It may be written ``web``, ``web.ns``, ``web.ns.svc`` or ``web.ns.svc.<domain>``.
    CrossNamespaceError when it names another namespace, ValueError for anything else; the
    message says what was expected.
    """
    service, dot, rest = text.partition(".")
    if len(text) > 512 or not _LABEL.fullmatch(service):
        raise ValueError(
            "is not a Service name (at most 63 characters of a-z, 0-9 and '-', in lower case)"
        )
    if not dot or rest in (namespace, f"{namespace}.svc", f"{namespace}.svc.{domain}"):
        return service
    other = rest.partition(".")[0]
    if _LABEL.fullmatch(other) and rest in (other, f"{other}.svc", f"{other}.svc.{domain}"):
        raise CrossNamespaceError(
            f"names a Service of namespace {other}; a TrafficSplit can only name those of its"
            f" own, {namespace}"
        )
    raise ValueError(
        f"is none of {service}, {service}.{namespace}, {service}.{namespace}.svc and"
        f" {service}.{namespace}.svc.{domain}"
    )
