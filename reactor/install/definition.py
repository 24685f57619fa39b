"""The TrafficSplit definition, in the form that a version of Kubernetes can live with."""

from __future__ import annotations

import copy
from typing import Any

from reactor.install.version import Version

Object = dict[str, Any]

RATCHETING = Version(1, 30)
"""From here on an update is forgiven what it leaves as it was, however wrong."""

CHECKS = frozenset(
    {
        *("minLength", "maxLength", "minimum", "maximum", "pattern"),
        *("minItems", "maxItems", "minProperties", "maxProperties", "not", "enum"),
    }
)
"""What refuses values; the rest gives the shape."""


def definition_for(full: Object, kube_version: Version) -> Object:
    """``full``, or for older clusters without its checks.

    Without ratcheting, a split that an older definition let in could never be changed again, not
    even to be deleted when it has a finalizer.
    """
    if kube_version >= RATCHETING:
        return full
    found = copy.deepcopy(full)
    for version in found["spec"]["versions"]:
        schema = version["schema"]
        schema["openAPIV3Schema"] = _unchecked(schema["openAPIV3Schema"])
    return found


def _unchecked(schema: Object) -> Object:
    found = {key: value for key, value in schema.items() if key not in CHECKS}
    if "properties" in found:
        found["properties"] = {
            name: _unchecked(inner) for name, inner in found["properties"].items()
        }
    if "items" in found:
        found["items"] = _unchecked(found["items"])
    return found
