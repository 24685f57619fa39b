"""The verbs on stored resources: from a parsed request to an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from reactor.sandbox import answer, documents, patch, protobuf, status, tables, typed
from reactor.sandbox.answer import Answer
from reactor.sandbox.documents import Document
from reactor.sandbox.identity import User
from reactor.sandbox.listing import Ask, Page, page
from reactor.sandbox.managedfields import manager_name
from reactor.sandbox.objects import Objects
from reactor.sandbox.registry import Registry
from reactor.sandbox.request import Request
from reactor.sandbox.reviews import Reviews
from reactor.sandbox.selectors import selector
from reactor.sandbox.status import Cause, Subject
from reactor.sandbox.storage import Store, Stored
from reactor.sandbox.target import Options, Outcome, Target


class Wish(msgspec.Struct, frozen=True):
    """A request with what came beside its path."""

    request: Request
    user: User
    body: bytes
    content_type: str = ""
    accept: str = ""
    agent: str = ""
    # Serve reads as of this version instead of now.
    stale: int | None = None


class Resources:
    """Answers everything but watches. Nothing here awaits. Raises StatusError."""

    def __init__(
        self,
        *,
        store: Store,
        registry: Registry,
        objects: Objects,
        reviews: Reviews,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self._objects = objects
        self._reviews = reviews
        self._clock = clock or (lambda: datetime.now(UTC))
        self._verbs: Mapping[str, Callable[[Target, Wish], Answer]] = {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_all,
        }

    def locate(self, request: Request) -> Target:
        """The resource in the version that the request names."""
        resource = self._registry.get(request.group, request.resource)
        version = resource.version(request.version) if resource else None
        if resource is None or version is None:
            raise status.page_not_found() if request.group else status.unknown_path()
        if not resource.namespaced and request.namespace and resource.plural != "namespaces":
            raise status.page_not_found()
        known: tuple[str, ...] = ("status",) if version.status else ()
        if resource.key == ("", "namespaces"):
            known = ("status", "finalize")
        if request.subresource and request.subresource not in known:
            if resource.custom:
                raise status.not_found(resource.subject(request.name))
            raise status.page_not_found()
        namespace = request.namespace if resource.namespaced else ""
        return Target(resource, version, namespace, request.name, request.subresource)

    def answer(self, wish: Wish) -> Answer:
        """Do what is asked."""
        request = wish.request
        target = self.locate(request)
        if target.resource.custom and request.verb in ("update", "patch") and not target.name:
            raise status.bad_request("name must be provided")
        act = self._verbs.get(request.verb)
        verb = "get" if request.verb == "get" and request.subresource else request.verb
        if act is None or (verb not in target.resource.verbs and not request.subresource):
            raise status.method_not_allowed()
        if (
            target.resource.namespaced
            and not target.namespace
            and request.verb
            not in (
                "list",
                "create",
            )
        ):
            raise status.method_not_allowed()
        return act(target, wish)

    def _get(self, target: Target, wish: Wish) -> Answer:
        if wish.stale is not None:
            state = self._store.table(target.resource.key).at(wish.stale)
            stored = (state or {}).get(target.path)
            if stored is None:
                raise status.not_found(target.resource.subject(target.name))
        else:
            stored = self._objects.get(target)
        return self._one(target, wish, stored)

    def _list(self, target: Target, wish: Wish) -> Answer:
        found = self._page(target, wish)
        if wanted := table_wanted(wish.accept):
            shown = tables.table(
                target.resource,
                target.version,
                found.items,
                now=self._clock(),
                metadata=answer.list_metadata(found),
                include=wish.request.query.get("includeObject", "Metadata"),
            )
            if wanted == "PartialObjectMetadataList":
                shown = {
                    "kind": wanted,
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": shown["metadata"],
                    "items": [row["object"] for row in shown["rows"]],
                }
            return answer.of_document(shown)
        return answer.of_page(target.resource, target.version, found)

    def _page(self, target: Target, wish: Wish) -> Page:
        query = wish.request.query
        ask = Ask(
            namespace=target.namespace,
            limit=int(query.get("limit") or 0),
            token=query.get("continue", ""),
            version=query.get("resourceVersion", ""),
            match=query.get("resourceVersionMatch", ""),
        )
        if wish.stale is not None and not ask.token:
            ask = msgspec.structs.replace(ask, version=str(wish.stale), match="Exact")
        chosen = selector(
            query.get("labelSelector", ""), query.get("fieldSelector", ""), target.resource
        )
        return page(self._store, self._store.table(target.resource.key), ask, chosen)

    def _create(self, target: Target, wish: Wish) -> Answer:
        document = self._document(target, wish)
        if target.resource.verbs == ("create",):
            return answer.of_document(self._review(target, wish, document), 201)
        if target.resource.namespaced and not target.namespace:
            raise status.bad_request("an empty namespace may not be set during creation")
        outcome = self._objects.create(target, document, self._options(target, wish))
        return self._done(target, wish, outcome)

    def _review(self, target: Target, wish: Wish, document: Document) -> Document:
        """A question is answered and owned like any object, and then forgotten."""
        typed.check(target.resource, target.version.name, document)
        document.update(kind=target.resource.kind, apiVersion=target.api_version)
        document["metadata"] = document.get("metadata") or {}
        options = self._options(target, wish)
        self._objects.own(target, {"metadata": {}, "spec": {}, "status": {}}, document, options)
        return self._reviews.answer(target.resource.kind, document, wish.user)

    def _update(self, target: Target, wish: Wish) -> Answer:
        document = self._document(target, wish)
        if target.resource.create_on_update and self._objects.find(target) is None:
            outcome = self._objects.create(target, document, self._options(target, wish))
        else:
            outcome = self._objects.update(
                target, lambda old: document, self._options(target, wish)
            )
        return self._done(target, wish, outcome)

    def _patch(self, target: Target, wish: Wish) -> Answer:
        resource = target.resource

        def change(old: Document) -> Document:
            return patch.patched(
                old,
                wish.body,
                kind=wish.content_type,
                shape=target.version.shape,
                custom=resource.custom,
                subject=resource.kind_subject(target.name),
            )

        return self._done(
            target,
            wish,
            self._objects.update(target, change, self._options(target, wish), patching=True),
        )

    def _delete(self, target: Target, wish: Wish) -> Answer:
        asked = self._delete_options(wish)
        conditions = asked.preconditions or {}
        outcome = self._objects.delete(
            target,
            uid=conditions.get("uid", ""),
            version=conditions.get("resourceVersion", ""),
            propagation=asked.propagationPolicy or wish.request.query.get("propagationPolicy", ""),
            dry_run=self._dry(wish) or bool(asked.dryRun),
        )
        if outcome.gone and not target.resource.returns_deleted:
            done = status.success(target.resource.subject(target.name), outcome.stored.uid)
            return answer.of_document(done)
        return self._one(target, wish, outcome.stored)

    def _delete_all(self, target: Target, wish: Wish) -> Answer:
        found = self._page(target, wish)
        dry = self._dry(wish) or bool(self._delete_options(wish).dryRun)
        for stored in found.items:
            self._objects.delete(
                msgspec.structs.replace(target, namespace=stored.namespace, name=stored.name),
                dry_run=dry,
            )
        return answer.of_page(target.resource, target.version, found)

    def _done(self, target: Target, wish: Wish, outcome: Outcome) -> Answer:
        told = list(outcome.warnings)
        if target.version.deprecated:
            told.append(target.version.deprecated)
        return self._one(
            target, wish, outcome.stored, 201 if outcome.created else 200, answer.warnings(told)
        )

    def _one(
        self,
        target: Target,
        wish: Wish,
        stored: Stored,
        code: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        wanted = table_wanted(wish.accept)
        if wanted == "Table":
            shown = tables.table(
                target.resource,
                target.version,
                [stored],
                now=self._clock(),
                metadata={"resourceVersion": str(stored.version)},
                include=wish.request.query.get("includeObject", "Metadata"),
            )
            return answer.of_document(shown, code)
        body = stored.encoded(target.api_version, target.resource.kind)
        if wanted == "PartialObjectMetadata":
            return answer.of_document(tables.partial(documents.decode(body)), code)
        return Answer(code, body, headers or {})

    def _document(self, target: Target, wish: Wish) -> Document:
        kind = wish.content_type or "application/json"
        known = ["application/json", "application/yaml"]
        if not target.resource.custom:
            known.append(protobuf.CONTENT_TYPE)
        if kind not in known:
            raise status.unsupported_media_type(known)
        return _object(wish.body, kind, target.resource.kind)

    def _delete_options(self, wish: Wish) -> typed.DeleteOptions:
        if not wish.body.strip():
            return typed.DeleteOptions()
        document = _object(wish.body, wish.content_type, "DeleteOptions")
        try:
            return msgspec.convert(document, typed.DeleteOptions)
        except msgspec.ValidationError as error:
            raise status.bad_request(f"json: cannot unmarshal: {error}") from error

    def _dry(self, wish: Wish) -> bool:
        asked = wish.request.query.get("dryRun", "")
        if asked not in ("", "All"):
            kind = wish.request.verb.removesuffix("collection").capitalize() + "Options"
            told = f'Unsupported value: ["{asked}"]: supported values: "All"'
            raise status.invalid(
                Subject("meta.k8s.io", kind), [Cause("FieldValueNotSupported", told, "dryRun")]
            )
        return asked == "All"

    def _options(self, target: Target, wish: Wish) -> Options:
        query = wish.request.query
        return Options(
            manager=manager_name(query.get("fieldManager", ""), wish.agent),
            dry_run=self._dry(wish),
            validation=query.get("fieldValidation") or "Warn",
        )


def _object(body: bytes, content_type: str, kind: str) -> Document:
    try:
        if content_type == protobuf.CONTENT_TYPE:
            document = protobuf.decode(body)
        elif content_type == "application/yaml":
            document = _yaml(body)
        else:
            document = documents.decode(body)
    except ValueError as error:
        raise status.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): "
            f"couldn't get version/kind; json parse error: {error}"
        ) from error
    if not isinstance(document, dict):
        raise status.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get "
            "version/kind; json parse error: json: cannot unmarshal"
        )
    return document


def _yaml(body: bytes) -> Any:
    # Imported late: only a body that is YAML needs it.
    import yaml

    try:
        return documents.decode(documents.encode(yaml.safe_load(body)))
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(str(error)) from error


def table_wanted(accept: str) -> str:
    """The first transformation that the client asks for and we know; else the object itself."""
    for part in accept.split(","):
        for parameter in part.split(";"):
            key, _, value = parameter.strip().partition("=")
            if key == "as" and value in (
                "Table",
                "PartialObjectMetadata",
                "PartialObjectMetadataList",
            ):
                return value
        if part.split(";")[0].strip() in ("application/json", "*/*"):
            return ""
    return ""
