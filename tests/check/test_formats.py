"""The formats, as Linkerd prints them and reads them back."""

from __future__ import annotations

import json
from typing import Any

from reactor.check.formats import as_json, ending, heading, lines, passed
from reactor.check.result import Outcome, Result, Trouble, some, told

FINE = Result("pods are running")
ODD = told("pods are injected", Trouble("no proxy in a", "`kubectl get pods`", warning=True))
BAD = told("namespace exists", Trouble("there is none", "`linkerd smi install`"))


def plain(mark: str, outcome: Outcome) -> str:
    return mark


def read_by_linkerd(text: str) -> tuple[bool, list[dict[str, str]]]:
    """What `linkerd check` makes of an extension's stdout (healthcheck_output.go).

    Go's decoder fails for a value of another type than the struct's field.
    """
    output = json.loads(text)
    assert isinstance(output["success"], bool)
    found = []
    for category in output["categories"]:
        assert set(category) == {"categoryName", "checks"}
        assert category["categoryName"] == "linkerd-smi"
        for check in category["checks"]:
            assert set(check) <= {"description", "hint", "error", "result"}
            assert all(isinstance(value, str) for value in check.values())
            found.append(
                {
                    "description": check["description"],
                    "hint": check.get("hint", ""),
                    "error": check.get("error", ""),
                    "warning": check["result"] == "warning",
                    "result": check["result"],
                }
            )
    return output["success"], found


def test_a_check_is_a_mark_and_its_trouble_is_indented_below() -> None:
    assert list(heading()) == ["linkerd-smi", "-----------"]
    assert list(lines(FINE, plain)) == ["√ pods are running"]
    assert list(lines(ODD, plain)) == [
        "‼ pods are injected",
        "    no proxy in a",
        "    see `kubectl get pods` for hints",
    ]
    first, *_ = lines(BAD, plain)
    assert first == "× namespace exists"


def test_the_last_line_says_how_it_went() -> None:
    assert ending(True, plain) == "Status check results are √"
    assert ending(False, plain) == "Status check results are ×"


def test_warnings_do_not_fail_and_errors_do() -> None:
    assert passed([FINE, ODD])
    assert not passed([FINE, BAD])


def test_json_is_what_linkerd_reads() -> None:
    success, found = read_by_linkerd(as_json([FINE, ODD, BAD]))
    assert not success
    assert [one["result"] for one in found] == ["success", "warning", "error"]
    assert found[2] == {
        "description": "namespace exists",
        "hint": "`linkerd smi install`",
        "error": "there is none",
        "warning": False,
        "result": "error",
    }


def test_json_of_a_success_has_neither_hint_nor_error_and_keeps_gos_order() -> None:
    output: dict[str, Any] = json.loads(as_json([FINE, BAD]))
    fine, bad = output["categories"][0]["checks"]
    assert list(output) == ["success", "categories"]
    assert fine == {"description": "pods are running", "result": "success"}
    assert list(bad) == ["description", "hint", "error", "result"]


def test_of_many_only_the_first_are_spelled_out() -> None:
    assert some(["a", "b"]) == "a; b"
    assert some([str(number) for number in range(7)]) == "0; 1; 2; 3; 4; and 2 more"
