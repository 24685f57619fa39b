"""When a check asks again, and when it no longer does."""

from __future__ import annotations

import time

import pytest

from reactor.check.patience import Patience, Probe
from reactor.check.result import Trouble
from reactor.errors import Fatal, ReactorError, Retryable, Terminal

BAD = Trouble("not yet", "`kubectl get pods`")


class Answers:
    """Gives its answers one by one, the last for ever; an error is raised."""

    def __init__(self, *answers: Trouble | ReactorError | None) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self) -> Trouble | None:
        self.asked += 1
        found = self._answers[min(self.asked, len(self._answers)) - 1]
        if isinstance(found, ReactorError):
            raise found
        return found


def patience(wait: float) -> tuple[Patience, list[str]]:
    told: list[str] = []
    return Patience(wait=wait, progress=told.append), told


async def test_a_failure_is_looked_at_again_until_it_is_over() -> None:
    judge, told = patience(60.0)
    result = await judge.judge("pods run", Answers(BAD, Retryable("lost"), None), wait=60.0)
    assert result.result == "success"
    assert told == ["pods run: not yet", "pods run: lost", ""]


async def test_a_check_that_waits_for_nothing_asks_once() -> None:
    judge, _ = patience(60.0)
    answers = Answers(BAD, None)
    assert (await judge.judge("namespace exists", answers)).error == "not yet"
    assert answers.asked == 1


async def test_a_warning_is_not_waited_for() -> None:
    judge, _ = patience(60.0)
    answers = Answers(Trouble("odd", "`x`", warning=True), None)
    result = await judge.judge("pods are injected", answers, wait=60.0)
    assert (result.result, answers.asked) == ("warning", 1)


async def test_the_wait_ends_and_the_last_answer_counts() -> None:
    judge, _ = patience(0.3)
    started = time.monotonic()
    result = await judge.judge("pods run", Answers(BAD), wait=60.0)
    assert result.result == "error"
    assert 0.3 <= time.monotonic() - started < 10.0


async def test_after_a_failure_nothing_is_waited_for() -> None:
    judge, told = patience(60.0)
    await judge.judge("namespace exists", Answers(BAD))
    answers = Answers(BAD, None)
    assert (await judge.judge("pods run", answers, wait=60.0)).result == "error"
    assert (answers.asked, told) == (1, ["", ""])


def refused(status: int) -> Probe:
    return Answers(Terminal(f"GET /x: {status} no", status=status))


async def test_what_one_may_not_see_fails_only_where_it_has_to_be_seen() -> None:
    judge, _ = patience(0.0)
    needed = await judge.judge("pods run", refused(403))
    optional = await judge.judge("splits are valid", refused(403), optional=True)
    assert (needed.result, optional.result) == ("error", "warning")
    assert needed.error == optional.error == "not checked: GET /x: 403 no"


@pytest.mark.parametrize(
    ("probe", "hint"),
    [
        (refused(401), "`kubectl auth whoami`"),
        (refused(400), "`kubectl cluster-info`"),
        (Answers(Retryable("can't connect")), "`kubectl cluster-info`"),
        (Answers(Fatal("the exec plugin failed")), "`kubectl cluster-info`"),
    ],
)
async def test_an_answer_that_cannot_be_had_is_a_failure(probe: Probe, hint: str) -> None:
    judge, _ = patience(0.0)
    result = await judge.judge("namespace exists", probe, optional=True)
    assert (result.result, result.hint) == ("error", hint)
