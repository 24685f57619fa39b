"""The guide's story can be followed afterwards, by CLI, API and SQL, and in the browser."""

from __future__ import annotations

import gc
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reactor import __version__
from tests.archive.postgres import Postgres
from tests.browser import chromium
from tests.pages.test_operating import manifests
from tests.story import browser, page, scene
from tests.story.following import followed
from tests.story.volatile import lasting

_PROGRAMS = ("curl", "jq", "sqlite3")


@pytest.fixture(scope="module")
def told(
    cluster_programs: None,
    node_programs: None,
    kubectl: Path,
    helm: Path,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[scene.Scene]:
    """The story, over; its adaptor goes on."""
    for program in _PROGRAMS:
        assert shutil.which(program), f"install Debian's package {program}"
    folder = tmp_path_factory.mktemp("story")
    with scene.told(folder, kubectl=kubectl, helm=helm, postgres=postgres) as found:
        yield found


# A connection with TLS is closed a turn of its loop later than it says, and a command's loop is
# over by then, as its process would be.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.timeout(300)  # many programs, one after another, on a machine that may be busy
def test_every_line_of_the_audit_page_shows_what_the_page_says(told: scene.Scene) -> None:
    steps = page.steps(page.PAGE.read_text(encoding="utf-8"))
    assert len(steps) > 30
    try:
        for step, line, shown in followed(steps, told.terminal):
            assert lasting(shown) == lasting(step.output), f"$ {line}\n{shown}"
    finally:
        gc.collect()


def test_the_nightly_proof_works_with_the_rights_that_the_page_gives_it(
    told: scene.Scene, tmp_path: Path
) -> None:
    objects = [one for one in manifests() if one["kind"] != "PrometheusRule"]
    told.shell.apply(objects)
    (job,) = [one["spec"]["jobTemplate"] for one in objects if one["kind"] == "CronJob"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"REGISTRY/smi-adaptor:{__version__}"
    account = "kubectl create token smi-audit-verify -n smi-audit-proof"
    told.plane.write_kubeconfig(tmp_path / "kubeconfig", told.shell.run(account).strip())
    script = shlex.join(container["command"])
    line = f"cd {tmp_path}; export KUBECONFIG={tmp_path}/kubeconfig; {script}"
    first, again = told.shell.run(line), told.shell.run(line)
    assert "anchor: " in first
    assert again == first
    newest = tmp_path / "newest"
    newest.write_text(newest.read_text().translate(str.maketrans("0123456789", "1234567890")))
    assert told.shell.attempt(line).code == 1


async def test_the_browser_shows_the_same_story(told: scene.Scene) -> None:
    chromium.require()
    async with chromium.chromium() as found:
        await browser.follow(found, told)
