"""Where the API server is and who we are there: read from kubeconfigs or from the pod."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from reactor.errors import Fatal
from reactor.kube.library import Configuration, FileOrData, InClusterConfigLoader

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Section(msgspec.Struct, frozen=True):
    """One named cluster or user of a kubeconfig, with the file it stands in.

    ``where`` is how errors call it: ``kubeconfig FILE: users[NAME]``.
    """

    where: str
    folder: Path
    fields: Mapping[str, Any]
    name: str = ""
    file: Path | None = None

    def text(self, field: str) -> str | None:
        """A string field, None when absent or empty."""
        value = self.fields.get(field)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise Fatal(f"{self.where}.{field} must be a string: mend it in that file")
        return value

    def flag(self, field: str) -> bool:
        """A boolean field, False when absent."""
        value = self.fields.get(field, False)
        if not isinstance(value, bool):
            raise Fatal(f"{self.where}.{field} must be true or false: mend it in that file")
        return value

    def material(self, field: str) -> bytes | None:
        """PEM from FIELD-data (base64; it has precedence) or from the file that FIELD names."""
        data = self.text(f"{field}-data")
        if data is None and self.text(field) is None:
            return None
        fields = {f"{field}-data": data} if data else {field: self.text(field)}
        named = f"{self.where}.{next(iter(fields))}"
        try:
            encoded = FileOrData(fields, field, file_base_path=str(self.folder)).as_data()
            pem = base64.b64decode(encoded, validate=True)
        except (OSError, UnicodeDecodeError) as error:
            raise Fatal(f"{named}: can't read {fields.get(field)}: {why(error)}") from error
        except (binascii.Error, ValueError) as error:
            raise Fatal(f"{named} isn't base64: {error}; write it again from the PEM") from error
        if b"-----BEGIN " not in pem:
            raise Fatal(f"{named} holds no PEM block (-----BEGIN ...): write it again")
        return pem


class Target(msgspec.Struct, frozen=True):
    """The API server, and the user section that credentials are made from.

    ``namespace`` is the one that commands mean when they name none.
    """

    server: str
    authority: bytes | None
    verify: bool
    tls_name: str | None
    proxy: str | None
    user: Section
    cluster: Section
    namespace: str = "default"

    def impersonating(self, name: str, groups: Sequence[str]) -> Target:
        """The same place, asked as someone else: what the user section impersonates is void."""
        kept = {k: v for k, v in self.user.fields.items() if not k.startswith("as-")}
        fields = {**kept, "as": name, **({"as-groups": list(groups)} if groups else {})}
        return msgspec.structs.replace(self, user=msgspec.structs.replace(self.user, fields=fields))


def in_cluster(environ: Mapping[str, str], service_account: Path) -> Target:
    """The pod's own API server; the token is read by file, since it rotates."""
    configuration = Configuration()
    try:
        InClusterConfigLoader(
            str(service_account / "token"),
            str(service_account / "ca.crt"),
            try_refresh_token=False,
            environ=dict(environ),
        ).load_and_set(configuration)
        authority = Path(configuration.ssl_ca_cert).read_bytes()
    except Exception as error:  # its ConfigException has no public base but Exception
        raise Fatal(
            f"in-cluster configuration in {service_account}: {error}; does the pod have"
            " automountServiceAccountToken?"
        ) from error
    where = f"service account {service_account}"
    user = Section(where, service_account, {"tokenFile": "token"})
    cluster = Section(where, service_account, {})
    return Target(
        server=configuration.host,
        authority=authority,
        verify=True,
        tls_name=None,
        proxy=None,
        user=user,
        cluster=cluster,
        namespace=_own_namespace(service_account),
    )


def _own_namespace(service_account: Path) -> str:
    try:
        return (service_account / "namespace").read_text().strip() or "default"
    except (OSError, UnicodeDecodeError):
        return "default"


def why(error: Exception) -> str:
    """An error in few words, without the path that the message names already."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
