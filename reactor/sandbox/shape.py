"""How lists and maps merge: the part of a schema that field ownership and patches lean on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Shape(msgspec.Struct, frozen=True):
    """Merge rules of one value. The default: maps by key, lists as one atom.

    `keys` are the list-map keys of server-side ownership, `merge_key` the single key of a strategic
    merge patch; they differ (Service ports: port+protocol against port).
    """

    fields: Mapping[str, Shape] = {}
    elements: Shape | None = None
    keys: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = {}
    merge_key: str = ""
    unique: bool = False
    atomic: bool = False

    def at(self, key: str) -> Shape:
        """The shape of the value under `key`."""
        return self.fields.get(key) or self.elements or PLAIN

    @property
    def element(self) -> Shape:
        """The shape of a list's item."""
        return self.elements or PLAIN


PLAIN = Shape()
ATOMIC = Shape(atomic=True)


def keyed(*keys: str, merge_key: str = "", item: Shape = PLAIN, **defaults: Any) -> Shape:
    """A list whose items are told apart by `keys`."""
    return Shape(elements=item, keys=keys, merge_key=merge_key or keys[0], defaults=defaults)


def struct(**fields: Shape) -> Shape:
    """A map with known fields."""
    return Shape(fields=fields)


METADATA = struct(
    ownerReferences=keyed("uid", item=ATOMIC),
    finalizers=Shape(unique=True),
    managedFields=ATOMIC,
)

_CONTAINER = struct(
    env=keyed("name"),
    ports=keyed("containerPort", "protocol", protocol="TCP"),
    volumeMounts=keyed("mountPath"),
    volumeDevices=keyed("devicePath"),
)
_CONDITIONS = keyed("type")
POD_SPEC = struct(
    containers=keyed("name", item=_CONTAINER),
    initContainers=keyed("name", item=_CONTAINER),
    ephemeralContainers=keyed("name", item=_CONTAINER),
    imagePullSecrets=keyed("name"),
    volumes=keyed("name"),
    hostAliases=keyed("ip"),
    nodeSelector=ATOMIC,
    topologySpreadConstraints=keyed("topologyKey", "whenUnsatisfiable"),
)
TEMPLATE = struct(metadata=METADATA, spec=POD_SPEC)
WORKLOAD = struct(
    metadata=METADATA,
    spec=struct(selector=ATOMIC, template=TEMPLATE),
    status=struct(conditions=_CONDITIONS),
)
POD = struct(metadata=METADATA, spec=POD_SPEC, status=struct(conditions=_CONDITIONS))
SERVICE = struct(
    metadata=METADATA,
    spec=struct(ports=keyed("port", "protocol", protocol="TCP"), selector=ATOMIC),
    status=struct(conditions=_CONDITIONS),
)
OBJECT = struct(metadata=METADATA, status=struct(conditions=_CONDITIONS))
SERVICE_ACCOUNT = struct(metadata=METADATA, secrets=keyed("name"), imagePullSecrets=ATOMIC)
EVENT = struct(metadata=METADATA, involvedObject=ATOMIC)
ENDPOINT_SLICE = struct(metadata=METADATA, endpoints=ATOMIC, ports=ATOMIC)


def of_schema(schema: Mapping[str, Any] | None, *, top: bool = True) -> Shape:
    """Derive the shape of a custom resource from its structural schema."""
    schema = schema or {}
    fields = {key: of_schema(item, top=False) for key, item in schema.get("properties", {}).items()}
    if top:
        fields["metadata"] = METADATA
    items = schema.get("items") or schema.get("additionalProperties")
    listed = schema.get("x-kubernetes-list-type")
    keys = tuple(schema.get("x-kubernetes-list-map-keys", ())) if listed == "map" else ()
    elements = of_schema(items, top=False) if isinstance(items, dict) else None
    if elements is not None and keys and isinstance(items, dict):
        known = items.get("properties", {})
        defaults = {k: known[k]["default"] for k in keys if "default" in known.get(k, {})}
    else:
        defaults = {}
    return Shape(
        fields=fields,
        elements=elements,
        keys=keys,
        defaults=defaults,
        unique=listed == "set",
        atomic=schema.get("x-kubernetes-map-type") == "atomic",
    )
