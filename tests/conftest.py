"""What holds for every test: uvloop, no leaked task, long runs only when asked for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping

import hypothesis
import pytest
import pytest_asyncio
import uvloop

pytest_plugins = [
    "tests.archive.fixtures",
    "tests.cluster.fixtures",
    "tests.contract.parity",
    "tests.dist.fixtures",
    "tests.spread",
]

# Examples are bounded by count, not by time: the machine may be busy with a control plane.
hypothesis.settings.register_profile(
    "default", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("default"), derandomize=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "default")

_LONG = {"soak", "bench"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that production runs on."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the long runs to `-m soak` and `-m bench`, and watches over every async test."""
    if not config.option.markexpr:
        long = [item for item in items if _LONG & {mark.name for mark in item.iter_markers()}]
        if long:
            config.hook.pytest_deselected(items=long)
            items[:] = [item for item in items if item not in long]
    for item in items:
        if pytest_asyncio.is_async_test(item) and isinstance(item, pytest.Function):
            # First to be set up is last to be torn down: after the fixtures that own tasks.
            item.fixturenames.insert(0, "no_leaked_tasks")


@pytest_asyncio.fixture
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fails a test that leaves a task behind: every task has an owner that awaits it."""
    before = asyncio.all_tasks()
    yield
    leaked = asyncio.all_tasks() - before - {asyncio.current_task()}
    names = ", ".join(sorted(map(repr, leaked)))
    for task in leaked:
        task.cancel()
    await asyncio.gather(*leaked, return_exceptions=True)
    if leaked:
        pytest.fail(f"leaked tasks: {names}", pytrace=False)
