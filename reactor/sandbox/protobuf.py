"""Kubernetes' protobuf encoding, as far as `kubectl create` needs it: documents of a few kinds.

kubectl sends what its typed clients create in protobuf and never falls back to JSON. A field that
isn't listed here is refused, never dropped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from reactor.sandbox.documents import Document

MAGIC = b"k8s\x00"
CONTENT_TYPE = "application/vnd.kubernetes.protobuf"


class Field(msgspec.Struct, frozen=True):
    """A field: its JSON name, its type, and whether zero is a value (a pointer in Go)."""

    name: str
    type: str
    repeated: bool = False
    pointer: bool = False


# Field numbers are those of Kubernetes' generated.proto files. A star marks a list, a question mark
# a pointer; `map` is of strings to strings, `data` of strings to bytes; a create ignores statuses.
_TEXT = """
ObjectMeta: 1 name string, 2 generateName string, 3 namespace string, 4 selfLink string,
  5 uid string, 6 resourceVersion string, 7 generation int, 8 creationTimestamp Time,
  9 deletionTimestamp Time, 11 labels map, 12 annotations map, 13 ownerReferences *OwnerReference,
  14 finalizers *string
OwnerReference: 5 apiVersion string, 1 kind string, 3 name string, 4 uid string,
  6 controller ?bool, 7 blockOwnerDeletion ?bool
Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status NamespaceStatus
NamespaceSpec: 1 finalizers *string
NamespaceStatus: 1 phase string
ConfigMap: 1 metadata ObjectMeta, 2 data map, 3 binaryData data, 4 immutable ?bool
Secret: 1 metadata ObjectMeta, 2 data data, 3 type string, 4 stringData map, 5 immutable ?bool
ServiceAccount: 1 metadata ObjectMeta, 4 automountServiceAccountToken ?bool
Service: 1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status ignored
ServiceSpec: 1 ports *ServicePort, 2 selector map, 3 clusterIP string, 4 type string,
  5 externalIPs *string, 7 sessionAffinity string, 8 loadBalancerIP string, 10 externalName string,
  11 externalTrafficPolicy string, 12 healthCheckNodePort int, 13 publishNotReadyAddresses bool,
  18 clusterIPs *string
ServicePort: 1 name string, 2 protocol string, 3 port int, 4 targetPort IntOrString, 5 nodePort int,
  6 appProtocol ?string
LabelSelector: 1 matchLabels map
Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status ignored
DeploymentSpec: 1 replicas ?int, 2 selector LabelSelector, 3 template PodTemplateSpec,
  4 strategy DeploymentStrategy, 5 minReadySeconds int, 6 revisionHistoryLimit ?int, 7 paused bool,
  9 progressDeadlineSeconds ?int
DeploymentStrategy: 1 type string
Job: 1 metadata ObjectMeta, 2 spec JobSpec, 3 status ignored
JobSpec: 1 parallelism ?int, 2 completions ?int, 4 selector LabelSelector,
  6 template PodTemplateSpec, 7 backoffLimit ?int
PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
PodSpec: 2 containers *Container, 3 restartPolicy string, 6 dnsPolicy string, 7 nodeSelector map,
  8 serviceAccountName string, 9 serviceAccount string, 10 nodeName string, 11 hostNetwork bool,
  12 hostPID bool, 13 hostIPC bool, 16 hostname string, 17 subdomain string,
  19 schedulerName string, 24 priorityClassName string
Container: 1 name string, 2 image string, 3 command *string, 4 args *string, 5 workingDir string,
  6 ports *ContainerPort, 7 env *EnvVar, 8 resources Empty, 13 terminationMessagePath string,
  14 imagePullPolicy string, 16 stdin bool, 17 stdinOnce bool, 18 tty bool,
  20 terminationMessagePolicy string
ContainerPort: 1 name string, 2 hostPort int, 3 containerPort int, 4 protocol string,
  5 hostIP string
SelfSubjectReview: 1 metadata ObjectMeta, 2 status ignored
SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec AccessSpec, 3 status ignored
AccessSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
ResourceAttributes: 1 namespace string, 2 verb string, 3 group string, 4 version string,
  5 resource string, 6 subresource string, 7 name string
NonResourceAttributes: 1 path string, 2 verb string
EnvVar: 1 name string, 2 value string
ClusterRole: 1 metadata ObjectMeta, 2 rules *PolicyRule
Role: 1 metadata ObjectMeta, 2 rules *PolicyRule
PolicyRule: 1 verbs *string, 2 apiGroups *string, 3 resources *string, 4 resourceNames *string,
  5 nonResourceURLs *string
ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects *Subject, 3 roleRef RoleRef
RoleBinding: 1 metadata ObjectMeta, 2 subjects *Subject, 3 roleRef RoleRef
RoleRef: 1 apiGroup string, 2 kind string, 3 name string
Subject: 1 kind string, 2 apiGroup string, 3 name string, 4 namespace string
Time: 1 seconds int, 2 nanos int
IntOrString: 1 type int, 2 intVal int, 3 strVal string
Entry: 1 key string, 2 value string
DataEntry: 1 key string, 2 value bytes
TypeMeta: 1 apiVersion string, 2 kind string
Unknown: 1 typeMeta TypeMeta, 2 raw bytes, 3 contentEncoding string, 4 contentType string
Empty: 99 nothing string
"""


def decode(body: bytes) -> Document:
    """The document in a protobuf body. Raises ValueError."""
    if not body.startswith(MAGIC):
        raise ValueError("provided data does not appear to be a protobuf message")
    envelope = _message(body[len(MAGIC) :], "Unknown")
    meta = envelope.get("typeMeta") or {}
    kind = meta.get("kind", "")
    if kind not in _MESSAGES:
        raise ValueError(f"the sandbox reads no {kind} in protobuf: send JSON")
    return {**meta, **_message(envelope.get("raw") or b"", kind)}


def _parse(text: str) -> Mapping[str, Mapping[int, Field]]:
    messages: dict[str, dict[int, Field]] = {}
    for line in text.strip().replace("\n  ", " ").splitlines():
        message, _, rest = line.partition(": ")
        fields = messages.setdefault(message, {})
        for part in rest.split(", "):
            number, name, kind = part.split()
            fields[int(number)] = Field(name, kind.lstrip("*?"), "*" in kind, "?" in kind)
    return messages


_MESSAGES = _parse(_TEXT)


def _message(data: bytes, kind: str) -> Document:
    found: Document = {}
    fields = _MESSAGES[kind]
    for number, raw in _wire(data):
        field = fields.get(number)
        if field is None:
            raise ValueError(f"the sandbox doesn't know field {number} of {kind} in protobuf")
        if field.type == "ignored":
            continue
        if field.type in ("map", "data"):
            entry = _message(_bytes(raw), "Entry" if field.type == "map" else "DataEntry")
            value = entry.get("value", "")
            held = found.setdefault(field.name, {})
            held[entry.get("key", "")] = _base64(value) if field.type == "data" else value
        elif field.repeated:
            found.setdefault(field.name, []).append(_value(raw, field.type))
        else:
            value = _value(raw, field.type)
            if value or field.pointer:
                found[field.name] = value
    return found


def _value(raw: int | bytes, kind: str) -> Any:
    if kind == "string":
        return _bytes(raw).decode()
    if kind == "bytes":
        return _bytes(raw)
    if kind == "bool":
        return bool(raw)
    if kind == "int":
        number = int(raw)
        return number - 2**64 if number >= 2**63 else number
    found = _message(_bytes(raw), kind)
    if kind == "Time":
        seconds = found.get("seconds")
        return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z" if seconds else None
    if kind == "IntOrString":
        return found.get("strVal", "") if found.get("type") else found.get("intVal", 0)
    return found


def _wire(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        if tag & 7 == 0:
            value, place = _varint(data, place)
            yield tag >> 3, value
        elif tag & 7 == 2:
            size, place = _varint(data, place)
            if place + size > len(data):
                raise ValueError("unexpected EOF")
            yield tag >> 3, data[place : place + size]
            place += size
        else:
            raise ValueError(f"proto: illegal wireType {tag & 7}")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("unexpected EOF")


def _bytes(raw: int | bytes) -> bytes:
    if isinstance(raw, int):
        raise ValueError("proto: wrong wireType")
    return raw


def _base64(value: bytes | str) -> str:
    data = value if isinstance(value, bytes) else value.encode()
    return base64.b64encode(data).decode()
