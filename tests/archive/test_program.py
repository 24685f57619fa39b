"""`smi-adaptor` with its archive's URL in the variable, as the chart gives it: nothing shows it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from reactor.sandbox.server import Sandbox
from tests.archive.postgres import PASSWORD, Postgres
from tests.cluster.api import Api
from tests.cluster.crds import traffic_split_crd
from tests.cluster.prepare import apply_definitions
from tests.process.program import Program

_SHOWN = (
    *("/ready", "/metrics", "/", "/health", "/log", "/openapi.json", "/nowhere"),
    *("/api/v1/runs", "/api/v1/stats", "/api/v1/entries", "/api/v1/export", "/api/v1/entries?a=b"),
)


async def _shown(program: Program) -> dict[str, str]:
    """All that the port tells."""
    return {path: await program.tells(path) for path in _SHOWN}


async def test_the_variable_gives_the_archive_and_nothing_shows_the_password_or_tells_all_where(
    postgres: Postgres, empty: str, tmp_path: Path
) -> None:
    url = f"{postgres.url(empty)}?password={PASSWORD}"
    async with Sandbox() as sandbox:
        kubeconfig = sandbox.write_kubeconfig(tmp_path / "kubeconfig")
        async with Api.connect(kubeconfig) as api:
            await apply_definitions(api, traffic_split_crd())
        program = Program(
            tmp_path,
            *("-leader-elect=false", "-log-level=debug", "-cluster-name=eu-1"),
            kubeconfig=kubeconfig,
            variables={"SMI_ADAPTOR_ARCHIVE_URL": url},
        )
        async with program:
            await program.readiness(lambda _, text: text == "ok\n")
            shipped = await _shown(program)
            assert "rows can be copied" in shipped["/health"]
            assert "365 days" in shipped["/health"]
            ((name, settings),) = await postgres.fetch(
                empty,
                "SELECT name, settings FROM runs JOIN clusters ON clusters.id = runs.cluster",
            )
            assert name == "eu-1"
            await asyncio.to_thread(postgres.stop)
            try:
                await program.readiness(lambda _, text: "but: the archive lacks" in text)
                alone = await _shown(program)
            finally:
                await asyncio.to_thread(postgres.start)
            assert "rows can&#39;t be copied now" in alone["/health"]
            assert "but: the archive lacks" in alone["/ready"]
            assert await program.stop() == 0
    given = msgspec.json.decode(settings, type=dict[str, str])["archive-url"]
    assert given == f"postgresql+asyncpg://adaptor:...@127.0.0.1:{postgres.port}/{empty}"
    told = "\n".join([*program.lines, *shipped.values(), *alone.values(), settings])
    assert PASSWORD not in told
    assert PASSWORD.encode() not in (tmp_path / "audit.sqlite").read_bytes()
    for path in ("/ready", "/metrics"):
        assert str(postgres.port) not in shipped[path] + alone[path]
        assert empty not in shipped[path] + alone[path]


async def test_a_url_that_cannot_be_one_ends_it_in_one_line_that_does_not_repeat_it(
    tmp_path: Path,
) -> None:
    program = Program(
        tmp_path,
        kubeconfig=tmp_path / "kubeconfig",
        variables={"SMI_ADAPTOR_ARCHIVE_URL": f"mysql://adaptor:{PASSWORD}@db.example/audit"},
    )
    async with program:
        assert await program.end() == 2
    (line,) = program.lines
    assert "SMI_ADAPTOR_ARCHIVE_URL" in line
    assert "postgresql+asyncpg://USER:PASSWORD@HOST:PORT/DATABASE" in line
    assert PASSWORD not in line
