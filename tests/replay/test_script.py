"""What of a log is re-enacted, from where, and in which order."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec

from reactor.audit.entry import Entry
from reactor.audit.query.filters import Filters
from reactor.handlers.record import ObservedDetail
from reactor.model.meta import Document
from reactor.model.serviceprofile import FIELD_MANAGER
from reactor.replay.script import Script
from reactor.replay.source import LogFile
from reactor.replay.step import Step
from reactor.translate import decide
from reactor.translate.decision import Create
from tests.corpus import FOLDER
from tests.replay import logs
from tests.unit.translate.situations import situation, split

LIFECYCLE = LogFile(FOLDER / "lifecycle.sqlite")
AWAY = "change-while-away"


def told(steps: list[Step]) -> list[str]:
    return [f"{step.name} {step.change} by {step.actor}" for step in steps]


def test_what_others_did_to_a_profile_is_told_and_what_the_adaptor_did_is_not() -> None:
    script = Script(LIFECYCLE, Filters(namespace="repairs"))
    assert list(script.scene()) == []
    steps = list(script.steps())
    name = "web.repairs.svc.cluster.local"
    assert told(steps) == [
        "s added by tests",
        *[f"{name} modified by gitops"] * 3,
        f"{name} deleted by unknown",
    ]
    assert all(step.before is not None for step in steps if step.change == "modified")


def test_a_later_run_begins_with_what_was_there() -> None:
    later, earlier = LIFECYCLE.runs()
    script = Script(LIFECYCLE, Filters(namespace=AWAY, run=later.id))
    assert told(list(script.scene())) == [
        "changed added by unknown",
        "deleted added by unknown",
        "kept added by unknown",
    ]
    steps = list(script.steps())
    assert [step.change for step in steps if step.name == "changed"] == ["modified"]
    assert [step.change for step in steps if step.name == "deleted"] == ["deleted"]
    assert {step.place.partition(":")[0] for step in steps} == {later.id}
    before = Script(LIFECYCLE, Filters(namespace=AWAY, run=earlier.id))
    assert len(list(before.steps())) == 3


def test_a_time_is_a_place_to_begin_and_to_end() -> None:
    everything = Script(LIFECYCLE, Filters(namespace="repairs"))
    steps = list(everything.steps())
    at = steps[2].at
    part = Script(LIFECYCLE, Filters(namespace="repairs", since=at, until=at + 1))
    assert [step.resource for step in part.scene()] == ["trafficsplits"]
    assert list(part.steps()) == [steps[2]]
    (overrides,) = part.profiles.values()
    assert overrides is not None
    assert [one.weight for one in overrides] == ["91"]


def test_a_split_brings_all_that_shares_its_service() -> None:
    script = Script(LIFECYCLE, Filters(split="mu"))
    names = {step.name for step in script.steps()}
    assert names == {"zeta", "alpha", "mu"}
    assert {step.name for step in Script(LIFECYCLE, Filters(service="shop")).steps()} == names
    alone = Script(LIFECYCLE, Filters(service="left-over"))
    assert [step.resource for step in alone.steps()] == ["serviceprofiles"]


def test_services_are_there_as_the_decisions_found_them() -> None:
    script = Script(LogFile(FOLDER / "weights.sqlite"), Filters(namespace="services"))
    assert list(script.scene()) == []
    services = [step for step in script.steps() if step.resource == "services"]
    assert {(step.name, step.state) for step in services} == {
        ("web", "present"),
        ("a", "present"),
        ("b", "headless"),
    }
    guide = Script(LogFile(FOLDER / "guide.sqlite"), Filters())
    assert [str(step) for step in guide.scene()] == [
        "service guide/backend-svc present",
        "service guide/failing-svc present",
    ]


def test_a_profile_that_came_back_before_the_answer_to_its_creation_is_the_adaptors(
    tmp_path: Path,
) -> None:
    here = situation(split("canary", ("web-v1", 1), ("web-v2", 1)))
    decision = decide(here)
    assert isinstance(decision.plan, Create)
    body = b'{"metadata":{"name":"web","namespace":"n","uid":"u","resourceVersion":"1"},"spec":{}}'
    document = Document(sha256(body).digest(), body)
    detail = ObservedDetail(
        object="serviceprofiles",
        name=decision.plan.name,
        type="added",
        uid="u",
    )
    came = Entry(
        kind="observed",
        at=logs.AT + 1,
        namespace=here.namespace,
        service=here.service,
        actor=FIELD_MANAGER,
        detail=msgspec.json.encode(detail),
        documents=(document,),
    )
    log = logs.write(tmp_path / "log.sqlite", [logs.row(here, decision), came])
    assert [step.resource for step in Script(LogFile(log), Filters()).steps()] == []


def test_nothing_that_passes_is_nothing_to_do() -> None:
    assert not Script(LIFECYCLE, Filters(namespace="nowhere"))
