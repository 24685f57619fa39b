"""The built-in kinds: what the adaptor, the samples, kubectl and the tests use."""

from __future__ import annotations

from typing import Any

from reactor.sandbox import shape
from reactor.sandbox.documents import Document
from reactor.sandbox.registry import VERBS, Column, Resource, Version
from reactor.sandbox.shape import Shape

_SPECIFIED: Document = {"metadata": {}, "spec": {}, "status": {}}
_EVENT_FIELDS = (
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)


def _kind(
    group: str,
    version: str,
    plural: str,
    kind: str,
    *,
    rules: Shape = shape.OBJECT,
    columns: tuple[Column, ...] = (),
    zero: Document | None = None,
    status: bool = False,
    namespaced: bool = True,
    top: tuple[str, ...] = ("spec", "status"),
    **more: Any,
) -> Resource:
    """`more` are fields of Resource."""
    return Resource(
        group=group,
        plural=plural,
        kind=kind,
        namespaced=namespaced,
        versions=(Version(name=version, shape=rules, status=status, columns=columns),),
        storage=version,
        singular=kind.lower(),
        list_kind=kind + "List",
        zero=zero or {"metadata": {}},
        top=frozenset({"apiVersion", "kind", "metadata", *top}),
        **more,
    )


def built_in() -> list[Resource]:
    """Every built-in resource, core first."""
    return [*_core(), *_apps(), *_policy(), *_meta()]


def _core() -> list[Resource]:
    return [
        _kind(
            "",
            "v1",
            "namespaces",
            "Namespace",
            namespaced=False,
            short_names=("ns",),
            columns=(Column("Status", "string", "status.phase"),),
            zero=_SPECIFIED,
            status=True,
            returns_deleted=True,
            fields=("status.phase",),
            verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
        ),
        _kind(
            "",
            "v1",
            "services",
            "Service",
            short_names=("svc",),
            rules=shape.SERVICE,
            categories=("all",),
            columns=(
                Column("Type", "string", "spec.type"),
                Column("Cluster-IP", "string", "spec.clusterIP"),
                Column("External-IP", "string", "spec.externalName"),
                Column("Port(s)", "string", "spec.ports"),
            ),
            zero={"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}},
            status=True,
            returns_deleted=True,
            fields=("spec.clusterIP", "spec.type"),
        ),
        _kind(
            "",
            "v1",
            "events",
            "Event",
            free_names=True,
            top=(
                "involvedObject",
                "reason",
                "message",
                "source",
                "firstTimestamp",
                "lastTimestamp",
                "count",
                "type",
                "eventTime",
                "series",
                "action",
                "related",
                "reportingComponent",
                "reportingInstance",
            ),
            short_names=("ev",),
            columns=(
                Column("Last Seen", "string", "lastTimestamp"),
                Column("Type", "string", "type"),
                Column("Reason", "string", "reason"),
                Column("Object", "string", "involvedObject"),
                Column("Message", "string", "message"),
            ),
            rules=shape.EVENT,
            zero={
                "metadata": {},
                "involvedObject": {},
                "source": {},
                "firstTimestamp": None,
                "lastTimestamp": None,
                "eventTime": None,
                "reportingComponent": "",
                "reportingInstance": "",
            },
            create_on_update=True,
            fields=_EVENT_FIELDS,
        ),
        _kind(
            "",
            "v1",
            "secrets",
            "Secret",
            top=(
                "data",
                "stringData",
                "immutable",
                "type",
            ),
            columns=(Column("Type", "string", "type"), Column("Data", "integer", "data")),
            fields=("type",),
        ),
        _kind(
            "",
            "v1",
            "configmaps",
            "ConfigMap",
            top=(
                "data",
                "binaryData",
                "immutable",
            ),
            short_names=("cm",),
            columns=(Column("Data", "integer", "data"),),
        ),
        _kind(
            "",
            "v1",
            "serviceaccounts",
            "ServiceAccount",
            top=(
                "secrets",
                "imagePullSecrets",
                "automountServiceAccountToken",
            ),
            short_names=("sa",),
            rules=shape.SERVICE_ACCOUNT,
            columns=(Column("Secrets", "integer", "secrets"),),
            returns_deleted=True,
        ),
        _kind(
            "",
            "v1",
            "pods",
            "Pod",
            short_names=("po",),
            rules=shape.POD,
            categories=("all",),
            columns=(Column("Status", "string", "status.phase"),),
            zero={"metadata": {}, "spec": {"containers": None}, "status": {}},
            status=True,
            generation=("spec",),
            returns_deleted=True,
            fields=("spec.nodeName", "spec.serviceAccountName", "status.phase", "status.podIP"),
        ),
        _kind(
            "",
            "v1",
            "endpoints",
            "Endpoints",
            top=("subsets",),
            short_names=("ep",),
            rules=shape.Shape(fields={"metadata": shape.METADATA, "subsets": shape.ATOMIC}),
        ),
    ]


def _apps() -> list[Resource]:
    template: Document = {"metadata": {}, "spec": {"containers": None}}
    return [
        _kind(
            "apps",
            "v1",
            "deployments",
            "Deployment",
            short_names=("deploy",),
            rules=shape.WORKLOAD,
            categories=("all",),
            columns=(
                Column("Ready", "string", "status.readyReplicas"),
                Column("Up-to-date", "integer", "status.updatedReplicas"),
                Column("Available", "integer", "status.availableReplicas"),
            ),
            zero={
                "metadata": {},
                "spec": {"selector": None, "template": template, "strategy": {}},
                "status": {},
            },
            status=True,
            generation=("spec",),
        ),
        _kind(
            "apps",
            "v1",
            "replicasets",
            "ReplicaSet",
            short_names=("rs",),
            rules=shape.WORKLOAD,
            categories=("all",),
            zero={
                "metadata": {},
                "spec": {"selector": None, "template": template},
                "status": {"replicas": 0},
            },
            status=True,
            generation=("spec",),
            fields=("status.replicas",),
        ),
        _kind(
            "batch",
            "v1",
            "jobs",
            "Job",
            rules=shape.WORKLOAD,
            categories=("all",),
            zero={"metadata": {}, "spec": {"template": template}, "status": {}},
            status=True,
            generation=("spec",),
            fields=("status.successful",),
        ),
        _kind(
            "discovery.k8s.io",
            "v1",
            "endpointslices",
            "EndpointSlice",
            top=(
                "addressType",
                "endpoints",
                "ports",
            ),
            rules=shape.ENDPOINT_SLICE,
            columns=(Column("AddressType", "string", "addressType"),),
            zero={"metadata": {}, "addressType": "", "endpoints": None, "ports": None},
            generation=("addressType", "endpoints", "ports"),
        ),
        _kind(
            "coordination.k8s.io",
            "v1",
            "leases",
            "Lease",
            columns=(Column("Holder", "string", "spec.holderIdentity"),),
            zero={"metadata": {}, "spec": {}},
            unconditional_update=False,
            create_on_update=True,
        ),
    ]


def _policy() -> list[Resource]:
    group = "rbac.authorization.k8s.io"
    rules: Document = {"metadata": {}, "rules": None}
    binding: Document = {
        "metadata": {},
        "roleRef": {"apiGroup": "", "kind": "", "name": ""},
    }
    bound = shape.Shape(
        fields={"metadata": shape.METADATA, "roleRef": shape.ATOMIC, "subjects": shape.ATOMIC}
    )
    role_column = (Column("Role", "string", "roleRef"),)
    return [
        _kind(
            group,
            "v1",
            plural,
            kind,
            namespaced=not kind.startswith("Cluster"),
            zero=zero,
            rules=bound if columns else shape.OBJECT,
            columns=columns,
            create_on_update=True,
            free_names=True,
            top=("rules", "aggregationRule", "roleRef", "subjects"),
        )
        for plural, kind, zero, columns in (
            ("clusterroles", "ClusterRole", rules, ()),
            ("clusterrolebindings", "ClusterRoleBinding", binding, role_column),
            ("roles", "Role", rules, ()),
            ("rolebindings", "RoleBinding", binding, role_column),
        )
    ]


def _meta() -> list[Resource]:
    reviewed = ("create",)
    return [
        _kind(
            "apiextensions.k8s.io",
            "v1",
            "customresourcedefinitions",
            "CustomResourceDefinition",
            namespaced=False,
            short_names=("crd", "crds"),
            categories=("api-extensions",),
            columns=(Column("Created At", "date", "metadata.creationTimestamp"),),
            rules=shape.OBJECT,
            zero={
                "metadata": {},
                "spec": {
                    "group": "",
                    "names": {"plural": "", "kind": ""},
                    "scope": "",
                    "versions": None,
                },
                "status": {
                    "conditions": None,
                    "acceptedNames": {"plural": "", "kind": ""},
                    "storedVersions": None,
                },
            },
            status=True,
            generation=("spec",),
            unconditional_update=False,
        ),
        _kind(
            "authentication.k8s.io",
            "v1",
            "tokenreviews",
            "TokenReview",
            namespaced=False,
            verbs=reviewed,
        ),
        _kind(
            "authentication.k8s.io",
            "v1",
            "selfsubjectreviews",
            "SelfSubjectReview",
            namespaced=False,
            verbs=reviewed,
        ),
        _kind(
            "authorization.k8s.io",
            "v1",
            "subjectaccessreviews",
            "SubjectAccessReview",
            namespaced=False,
            verbs=reviewed,
        ),
        _kind(
            "authorization.k8s.io",
            "v1",
            "selfsubjectaccessreviews",
            "SelfSubjectAccessReview",
            namespaced=False,
            verbs=reviewed,
        ),
    ]
