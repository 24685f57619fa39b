"""What a user can get wrong beyond a flag: one line that names it and what to do, or patience."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.process.program import NOBODY, Program, write_kubeconfig

EXEC = {
    "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-program",
        "interactiveMode": "Never",
    }
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Right in itself; nobody is there."""
    return write_kubeconfig(tmp_path / "kubeconfig")


async def refused(directory: Path, kubeconfig: Path, *flags: str) -> str:
    """The one line with which it gives up; all before it are the log's."""
    async with Program(directory, *flags, kubeconfig=kubeconfig) as program:
        assert await program.end() == 1
    *before, last = program.lines
    assert [line for line in before if not line.startswith("time=")] == []
    assert "unexpected" not in last
    assert last.startswith("smi-adaptor: ")
    return last


async def used_once(directory: Path, kubeconfig: Path) -> Path:
    """A log as a run leaves it."""
    async with Program(directory, kubeconfig=kubeconfig) as program:
        await program.prints("waiting for serviceprofiles")
        assert await program.stop() == 0
    return directory / "audit.sqlite"


async def test_the_log_is_for_its_user_and_group_alone(tmp_path: Path, kubeconfig: Path) -> None:
    path = await used_once(tmp_path, kubeconfig)
    assert path.stat().st_mode & 0o777 == 0o640


async def test_a_log_cut_short_is_named_and_left_for_whoever_restores_it(
    tmp_path: Path, kubeconfig: Path
) -> None:
    path = await used_once(tmp_path, kubeconfig)
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)

    last = await refused(tmp_path, kubeconfig)

    assert f"{path} is damaged" in last
    assert "move it away" in last
    assert path.read_bytes() == half


async def test_a_log_of_a_newer_release_is_named_and_left_alone(
    tmp_path: Path, kubeconfig: Path
) -> None:
    path = await used_once(tmp_path, kubeconfig)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    last = await refused(tmp_path, kubeconfig)

    assert "newer release" in last
    assert "-audit-url" in last


async def test_a_database_of_another_program_is_not_written_to(
    tmp_path: Path, kubeconfig: Path
) -> None:
    path = tmp_path / "audit.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()

    last = await refused(tmp_path, kubeconfig)

    assert "another program" in last
    assert "-audit-url" in last
    assert path.read_bytes() == before


async def test_a_read_only_disk_is_named_with_what_to_do(tmp_path: Path, kubeconfig: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()

    async with Program(
        disk,
        kubeconfig=kubeconfig,
        inside=_namespace(f"mount -t tmpfs -o size=1m,ro none {disk}"),
    ) as program:
        assert await program.end() == 1

    last = program.lines[-1]
    assert str(disk) in last
    assert "read-only" in last.lower()
    assert "Traceback" not in "\n".join(program.lines)


async def test_a_full_disk_at_the_start_is_named_and_serves_all_the_same(
    tmp_path: Path, kubeconfig: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    fill = f"mount -t tmpfs -o size=64k none {disk}; cat /dev/zero > {disk}/ballast 2>/dev/null"

    async with Program(disk, kubeconfig=kubeconfig, inside=_namespace(fill)) as program:
        await program.prints("full")
        await program.prints("waiting for serviceprofiles")
        assert await program.stop() == 0

    assert [line for line in program.lines if not line.startswith("time=")] == []


def _namespace(setup: str) -> list[str]:
    """Runs what follows where this was mounted, which nobody else sees."""
    script = f'{setup}; exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]


async def test_an_unreachable_server_is_waited_for_and_said_once_a_minute(
    tmp_path: Path, kubeconfig: Path
) -> None:
    async with Program(tmp_path, kubeconfig=kubeconfig) as program:
        status, text = await program.readiness(lambda status, text: NOBODY in text)
        assert status == 503
        assert "refused" in text or "connect" in text.lower()
        # Many tries later there is still one line for each of the two kinds that are asked first.
        tries = 'smi_adaptor_watch_restarts_total{reason="failed",resource="serviceprofiles"}'
        await program.counts(tries, 5)
        said = [line for line in program.lines if NOBODY in line]
        assert len(said) == 2
        assert [line for line in program.lines if "ssl" in line.lower()] == []
        assert await program.stop() == 0
    assert [line for line in program.lines if not line.startswith("time=")] == []


async def test_a_second_process_on_the_same_log_says_whom_it_waits_for(
    tmp_path: Path, kubeconfig: Path
) -> None:
    async with Program(tmp_path, kubeconfig=kubeconfig) as first:
        await first.prints("waiting for serviceprofiles")
        async with Program(tmp_path, kubeconfig=kubeconfig) as second:
            status, text = await second.readiness(lambda _, text: "audit.sqlite" in text)
            assert status == 503
            assert str(tmp_path / "audit.sqlite") in text
            assert await first.stop() == 0
            await second.prints("waiting for serviceprofiles")
            assert await second.stop() == 0
    with closing(sqlite3.connect(tmp_path / "audit.sqlite")) as connection:
        kinds = connection.execute("SELECT kind FROM entries ORDER BY run, seq").fetchall()
    assert kinds == [("started",), ("stopped",)] * 2


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (EXEC, "no-such-program"),
        ({"client-certificate": "gone.crt", "client-key": "gone.key"}, "gone.crt"),
    ],
)
async def test_credentials_that_can_not_work_are_named(
    tmp_path: Path, kubeconfig: Path, user: dict[str, object], words: str
) -> None:
    write_kubeconfig(kubeconfig, "https://127.0.0.1:1", user)

    last = await refused(tmp_path, kubeconfig)

    assert words in last
    assert "users[me]" in last


async def test_a_token_file_that_is_not_there_yet_is_waited_for_and_named(
    tmp_path: Path, kubeconfig: Path
) -> None:
    write_kubeconfig(kubeconfig, user={"tokenFile": "later"})
    async with Program(tmp_path, kubeconfig=kubeconfig) as program:
        await program.prints("users[me].tokenFile")
        (tmp_path / "later").write_text("secret\n")
        await program.readiness(lambda status, text: "can't connect" in text)
        assert await program.stop() == 0
