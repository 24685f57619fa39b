"""The Kubernetes objects that checks look at, as far as they do."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class _Kind(msgspec.Struct, frozen=True, rename="camel"):
    """Fields that we don't name are ignored; a null is an absent value."""


class Meta(_Kind, frozen=True):
    """``deletion_timestamp`` is there while the object is on its way out."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class Variable(_Kind, frozen=True):
    """An environment variable; ``value`` is None when it comes from elsewhere."""

    name: str
    value: str | None = None


class Port(_Kind, frozen=True):
    """A port of a container."""

    container_port: int
    name: str = ""


class Mount(_Kind, frozen=True):
    """A volume's place in a container."""

    name: str
    mount_path: str


class Container(_Kind, frozen=True):
    """A container as it is asked for."""

    name: str
    image: str = ""
    args: list[str] | None = None
    env: list[Variable] | None = None
    ports: list[Port] | None = None
    volume_mounts: list[Mount] | None = None


class Volume(_Kind, frozen=True):
    """A volume; of its kinds only the one that goes with the pod is told apart."""

    name: str
    empty_dir: dict[str, Any] | None = None


class PodSpec(_Kind, frozen=True):
    """A pod as it is asked for."""

    containers: list[Container] = []
    init_containers: list[Container] | None = None
    volumes: list[Volume] | None = None


class Reason(_Kind, frozen=True):
    """Why a container waits, or has ended."""

    reason: str = ""
    message: str = ""


class State(_Kind, frozen=True):
    """What a container does now."""

    waiting: Reason | None = None
    terminated: Reason | None = None


class ContainerStatus(_Kind, frozen=True):
    """A container as it is."""

    name: str
    ready: bool = False
    state: State | None = None


class Condition(_Kind, frozen=True):
    """One condition of an object."""

    type: str
    status: str
    message: str = ""


class PodStatus(_Kind, frozen=True):
    """A pod as it is."""

    phase: str = ""
    message: str = ""
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class Pod(_Kind, frozen=True):
    """core/v1 Pod."""

    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Template(_Kind, frozen=True):
    """What a Deployment's pods are made from."""

    spec: PodSpec = PodSpec()


class DeploymentSpec(_Kind, frozen=True):
    """``replicas`` None means 1."""

    replicas: int | None = None
    template: Template = Template()


class Deployment(_Kind, frozen=True):
    """apps/v1 Deployment."""

    metadata: Meta
    spec: DeploymentSpec = DeploymentSpec()


class Namespace(_Kind, frozen=True):
    """core/v1 Namespace."""

    metadata: Meta


class DefinitionSpec(_Kind, frozen=True):
    """``preserve_unknown_fields`` is what v1beta1 left behind."""

    preserve_unknown_fields: bool | None = None


class Definition(_Kind, frozen=True):
    """apiextensions.k8s.io/v1 CustomResourceDefinition."""

    metadata: Meta
    spec: DefinitionSpec = DefinitionSpec()


class Parent(_Kind, frozen=True):
    """What a route is attached to."""

    name: str
    namespace: str | None = None
    group: str | None = None
    kind: str | None = None


class RouteSpec(_Kind, frozen=True):
    """The head of a route."""

    parent_refs: list[Parent] | None = None


class Route(_Kind, frozen=True):
    """HTTPRoute, of the Gateway API's group or Linkerd's."""

    metadata: Meta
    spec: RouteSpec = RouteSpec()


def read(obj: dict[str, Any], kind: type[T]) -> T:
    """The object as one of these; ValueError when it can't be one."""
    return msgspec.convert(obj, kind, strict=False)
