"""`linkerd-smi audit`, on the admin port of a running adaptor."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession, web

from tests.audit_cli.conftest import Audit, Smi
from tests.audit_cli.relay import Relay, tail
from tests.audit_cli.story import SERVICE, SPLIT, Story, told
from tests.contract.waiting import until
from tests.unit.kube.certificate import self_signed
from tests.unit.kube.loopback import serving


async def test_command_port_and_file_give_one_answer(audit: Audit, smi: Smi, story: Story) -> None:
    entry = (await audit("list", "--url", story.url, "--kind", "translated", "-o", "name")).out
    run, _, seq = entry.split()[0].partition(":")
    hour = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="milliseconds")
    async with ClientSession(story.url) as session:
        for path, command in (
            (None, ("list",)),
            ("entries?actor=bob&limit=1", ("list", "--actor", "bob", "--limit", "1")),
            (f"entries/{run}/{seq}", ("show", f"{run[:18]}:{seq}")),
            (f"splits/{SPLIT}", ("history", SPLIT)),
            (f"profiles/{SERVICE}", ("state", SERVICE)),
            (f"profiles/{SERVICE}/diff?from={quote(hour)}", ("diff", SERVICE, "--from", hour)),
            ("verify", ("verify",)),
            ("stats", ("stats",)),
        ):
            port = await audit(*command, "--url", story.url, "-o", "json")
            file = await audit(*command, "--db", story.log, "-o", "json")
            assert (port.code, lasting(port.json)) == (file.code, lasting(file.json)), command
            assert port.err == file.err == "", command
            if path is not None:
                async with session.get(f"/api/v1/{path}") as answer:
                    said = await answer.json()
                # A list is of all pages, and `show` tells more than the entry.
                name = {"list": "entries", "show": "entry"}.get(command[0])
                assert whole(said, name) == whole(port.json, name), command
    replays = [
        (await smi("replay", *where, "-o", "json")).json
        for where in (("--url", story.url), ("--db", story.log))
    ]
    assert replays[0] == replays[1]
    assert replays[0]["summary"]["rows"] == 2
    by_address = ("--api-addr", story.url.removeprefix("http://"))
    assert (await audit("stats", *by_address, "-o", "json")).json["runs"] == 1


def whole(answer: Any, name: str | None) -> Any:
    """What both tell."""
    return lasting(answer) if name is None else answer.get(name, answer)


def lasting(answer: Any) -> Any:
    """Without what grows while a log stands open: the words that are looked up get in later."""
    growing = ("bytes", "index_bytes", "unindexed")
    return {name: value for name, value in answer.items() if name not in growing}


async def test_an_export_over_the_port_is_that_of_the_file(
    audit: Audit, story: Story, tmp_path: Path
) -> None:
    for form in ("ndjson", "csv"):
        ended = await audit("export", "--url", story.url, "-o", form, tmp_path / form)
        assert ended.code == 0
        file = await audit("export", "--db", story.log, "-o", form)
        assert (tmp_path / form).read_bytes().decode() == file.out


async def test_a_wrong_question_is_what_the_port_says_of_it(audit: Audit, story: Story) -> None:
    ended = await audit("list", "--url", story.url, "--kind", "seen")
    assert ended.code == 2
    assert "one of observed, translated" in ended.err


async def test_a_running_log_is_copied_whole_while_it_is_written(
    audit: Audit, story: Story, tmp_path: Path
) -> None:
    changes = asyncio.create_task(_change(story))
    codes = [
        (await audit("backup", "--db", story.log, tmp_path / f"{number}.sqlite")).code
        for number in range(3)
    ]
    await changes
    assert codes == [0, 0, 0]
    for number in range(3):
        assert (await audit("verify", "--db", tmp_path / f"{number}.sqlite")).code == 0


async def _change(story: Story) -> None:
    for weight in range(10):
        await story.change(weight, 100 - weight, by="carol")


async def test_a_tail_goes_on_where_it_was_cut_off(audit: Audit, story: Story) -> None:
    relay = Relay(story.adaptor.daemon.port)
    await relay.start()
    try:
        async with tail("--url", relay.url) as running:
            await until(lambda: relay.connections)
            first = await _until_followed(story, running.names(1))
            relay.cut()
            for weight in range(3):
                await story.change(weight, 7, by="dave")
            count = await _rows(audit, story) - int(first[0].partition(":")[2])
            found = first + await running.names(count)
            code, err = await running.interrupted()
    finally:
        await relay.stop()
    seqs = [int(name.partition(":")[2]) for name in found]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert code == 130
    assert "Traceback" not in err
    assert "trying again" in err


async def test_a_tail_goes_on_with_the_next_run_when_the_adaptor_is_started_anew(
    audit: Audit, story: Story
) -> None:
    relay = Relay(story.adaptor.daemon.port)
    await relay.start()
    try:
        async with tail("--url", relay.url) as running:
            first = await _until_followed(story, running.names(1))
            await story.adaptor.stop()
            relay.cut()
            await story.adaptor.start()
            relay.there = story.adaptor.daemon.port
            await story.change(1, 2, by="dave")
            every = ("--order", "oldest", "--limit", "100000", "-o", "name")
            written = (await audit("list", "--db", story.log, *every)).out
            expected = written.split()[written.split().index(first[0]) :]
            found = first + await running.names(len(expected) - 1)
    finally:
        await relay.stop()
    assert found == expected
    assert len({name.partition(":")[0] for name in found}) == 2


async def test_a_tail_of_a_file_shows_what_is_written_and_ends_quietly(story: Story) -> None:
    async with tail("--db", str(story.log), "--kind", "synced") as running:
        names = await _until_followed(story, running.names(1))
        assert await running.interrupted() == (130, "")
    assert names[0].startswith(story.adaptor.daemon.parts.journal.run)


async def _until_followed(story: Story, names: Coroutine[None, None, list[str]]) -> list[str]:
    """Changes the split until the tail, which begins at some time, has seen one."""
    reading = asyncio.create_task(names)
    weight = 20
    while not reading.done():
        weight += 1
        await story.change(weight, 3, by="carol")
        await asyncio.wait({reading}, timeout=0.2)
    return await reading


async def _rows(audit: Audit, story: Story) -> int:
    rows = (await audit("stats", "--url", story.url, "-o", "json")).json["rows"]
    assert isinstance(rows, int)
    return rows


async def test_an_export_that_is_cut_off_says_so_and_leaves_no_file(
    audit: Audit, tmp_path: Path
) -> None:
    async def cut(request: web.Request) -> web.Response:
        return web.Response(body=b'{"run": "a", "seq": 1}\n')

    async with serving(cut) as server:
        ended = await audit("export", "--url", server.url, tmp_path / "out.ndjson")
        assert ended.code == 1
        assert "ceased to answer" in ended.err
        assert not (tmp_path / "out.ndjson").exists()
        ended = await audit("export", "--url", server.url)
        assert ended.code == 1


async def test_an_export_that_retention_overtook_is_truncated(audit: Audit, tmp_path: Path) -> None:
    async def overtaken(request: web.Request) -> web.Response:
        return web.Response(body=b'{"export": "truncated", "rows": 0, "problem": "retention"}\n')

    async with serving(overtaken) as server:
        ended = await audit("export", "--url", server.url, tmp_path / "out.ndjson")
    assert ended.code == 1
    assert "truncated after 0: retention" in ended.err
    assert (tmp_path / "out.ndjson").exists()


async def test_pages_that_end_early_are_gone_through(audit: Audit) -> None:
    cursors = []

    async def partial(request: web.Request) -> web.Response:
        cursors.append(request.query.get("cursor"))
        following = {None: "v1.<9", "v1.<9": "v1.<5"}.get(cursors[-1])
        return web.json_response(
            {"entries": [], "next": following, "previous": None, "partial": following is not None}
        )

    async with serving(partial) as server:
        ended = await audit("list", "--url", server.url, "--text", "rare")
    assert ended.code == 0
    assert cursors == [None, "v1.<9", "v1.<5"]
    assert "no entry passes" in ended.err


async def test_what_is_no_adaptor_is_one_line(audit: Audit) -> None:
    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/")

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>")

    for handler, said in ((moved, "not from an adaptor"), (page, "can't be read")):
        async with serving(handler) as server:
            ended = await audit("list", "--url", server.url, "--token", "secret")
        assert ended.code == 1
        assert said in ended.err
        assert ended.err.count("\n") == 1
        assert "secret" not in ended.err
    ended = await audit("list", "--url", server.url)
    assert ended.code == 1
    assert "can't connect" in ended.err
    for url in ("127.0.0.1:9995", "http://a:b:c/"):
        assert (await audit("list", "--url", url)).code == 2


async def test_a_certificate_that_nobody_vouches_for_is_refused(audit: Audit) -> None:
    async def never(request: web.Request) -> web.Response:
        raise AssertionError("nothing is to be sent")

    async with serving(never, pair=self_signed()) as server:
        ended = await audit("list", "--url", server.url, "--token", "secret")
    assert ended.code == 1
    assert "not to be trusted" in ended.err


async def test_a_token_in_the_clear_is_said_to_be(audit: Audit) -> None:
    # .invalid names no host, anywhere.
    ended = await audit("list", "--url", "http://adaptor.invalid", "--token", "secret")
    assert ended.code == 1
    assert "goes unencrypted" in ended.err
    assert "secret" not in ended.err
    ended = await audit("list", "--url", "http://127.0.0.1:1", "--token", "secret")
    assert "unencrypted" not in ended.err


async def test_a_port_that_wants_a_token_says_how_to_get_one(audit: Audit, tmp_path: Path) -> None:
    async with told(tmp_path, "-admin-auth=token") as story:
        without = await audit("list", "--url", story.url)
        assert without.code == 1
        assert "kubectl -n linkerd-smi create token" in without.err
        assert "smi-adaptor-audit-reader" in without.err
        wrong = await audit("list", "--url", story.url, "--token", "made-up-secret")
        assert wrong.code == 1
        assert "made-up-secret" not in wrong.err
        assert (await audit("list", "--url", story.url, "--token", story.sandbox.token)).code == 0
