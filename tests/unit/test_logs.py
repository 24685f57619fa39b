"""Log lines, byte for byte as the guide shows them, and as JSON."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from reactor import logs

GUIDE = (
    'time="2021-08-04T11:04:35Z" level=info msg="Using cluster domain: cluster.local"',
    'time="2021-08-04T11:05:17Z" level=info msg="Successfully synced '
    "'trafficsplit-sample/backend-split'\"",
)
LINE = 'time="2021-08-04T11:04:35Z" level=info '


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("reactor")
    before = (root.handlers[:], root.level, ours.level, logging.raiseExceptions)
    switches = (logging.logThreads, logging.logProcesses, logging.logMultiprocessing)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.raiseExceptions = before[3]
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = switches


def record(message: str, *args: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("reactor.daemon", logging.INFO, "", 0, message, args, None)
    made.created = 1628075075.9
    vars(made).update(fields)
    return made


def plain(message: str, *args: object, **fields: object) -> str:
    return logs.PlainFormatter(False).format(record(message, *args, **fields))


def test_the_guides_lines_come_out_as_in_the_guide() -> None:
    formatter = logs.PlainFormatter(False)
    assert formatter.format(record("Using cluster domain: %s", "cluster.local")) == GUIDE[0]
    later = record("Successfully synced '%s/%s'", "trafficsplit-sample", "backend-split")
    later.created = 1628075117.0
    assert formatter.format(later) == GUIDE[1]


def test_a_plain_word_is_bare_and_everything_else_quoted_as_go_does() -> None:
    assert plain("a-b.c_d/e@f^g+1") == LINE + "msg=a-b.c_d/e@f^g+1"
    assert plain("") == LINE + "msg="
    assert plain('say "hi"\\\n\t\x01\x7f\u00e9\u00a0\U000e0001') == (
        LINE + r'msg="say \"hi\"\\\n\t\x01\x7fé\u00a0\U000e0001"'
    )


def test_fields_follow_in_order_of_their_names() -> None:
    assert plain("Starting workers", workers=32, split="a b") == (
        LINE + 'msg="Starting workers" split="a b" workers=32'
    )


def test_text_lines_do_not_bear_the_reconcile_id() -> None:
    with logs.reconciling("0192"):
        assert plain("Starting workers") == LINE + 'msg="Starting workers"'


def test_json_lines_bear_it_within_a_reconcile_only() -> None:
    formatter = logs.JsonFormatter(False)
    with logs.reconciling("0192"):
        within = json.loads(formatter.format(record("created %s", "x", workers=3)))
    assert within == {
        "time": "2021-08-04T11:04:35Z",
        "level": "info",
        "msg": "created x",
        "logger": "reactor.daemon",
        "reconcile": "0192",
        "workers": 3,
    }
    assert "reconcile" not in json.loads(formatter.format(record("x")))


def test_json_survives_what_is_no_json() -> None:
    formatter = logs.JsonFormatter(False)
    line = json.loads(formatter.format(record("path \udcff", thing=object, msg_="x")))
    assert line["msg"] == "path \\udcff"
    assert "object" in line["thing"]


@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_an_error_is_one_line_until_debug_asks_for_more(log_format: str) -> None:
    def written(level: str) -> str:
        stream = io.StringIO()
        logs.configure("json" if log_format == "json" else "plain", level, stream)
        try:
            raise OSError("disk\nfull")
        except OSError:
            logging.getLogger("reactor.audit").exception("commit failed")
        return stream.getvalue()

    assert written("info").count("\n") == 1
    assert "OSError: disk\\nfull" in written("info")
    assert "Traceback" not in written("info")
    assert "Traceback" in written("debug")


def test_ours_are_logged_from_the_level_on_and_libraries_from_warning_on() -> None:
    stream = io.StringIO()
    logs.configure("plain", "info", stream)
    logging.getLogger("reactor.kube").debug("no")
    logging.getLogger("reactor.kube").info("yes")
    logging.getLogger("uvicorn").info("no")
    logging.getLogger("uvicorn").warning("library")
    assert [line.split("msg=")[1] for line in stream.getvalue().splitlines()] == ["yes", "library"]


def test_levels_are_named_as_logrus_names_them() -> None:
    stream = io.StringIO()
    logs.configure("plain", "debug", stream)
    log = logging.getLogger("reactor")
    for level in (10, 20, 30, 40, 50):
        log.log(level, "x")
    assert [word for word in stream.getvalue().split() if word.startswith("level=")] == [
        "level=debug",
        "level=info",
        "level=warning",
        "level=error",
        "level=fatal",
    ]


def test_a_closed_stream_ends_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    logs.configure("plain", "info", stream)
    stream.close()
    logging.getLogger("reactor").info("x")
    assert capsys.readouterr().err == ""
