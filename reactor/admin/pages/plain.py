"""The two pages that anyone may see, made without an engine: the sign-in, and an error."""

from __future__ import annotations

from html import escape
from typing import Final

from reactor.admin.pages.assets import href
from reactor.admin.pages.paths import SIGN_IN
from reactor.admin.problem import Refused

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · smi-adaptor</title>
<link rel="icon" href="{icon}">
<link rel="stylesheet" href="{css}">
</head>
<body>
<header class="top"><a class="brand" href="/">smi-adaptor</a></header>
<main id="main" class="narrow">
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_ELSEWHERE: Final = """<p class="actions"><a href="/">All splits</a> <a href="/log">Log</a>
<a href="/health">Health</a></p>"""
_FORM: Final = """<form method="post" action="{action}" class="stack">
<input type="hidden" name="next" value="{next}">
<label for="token">Bearer token</label>
<input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required
 autofocus aria-describedby="how">
<p id="how" class="quiet">A token whose user may read the audit log, for instance from
<code>kubectl -n linkerd-smi create token reader</code>. It is kept in this browser until you
sign out or close it.</p>
<button type="submit">Sign in</button>
</form>
"""


def problem(refused: Refused) -> bytes:
    """An error as a page."""
    fields = "".join(
        f"<li><b>{escape(e.field)}</b>: {escape(e.message)}; allowed: {escape(e.allowed)}</li>"
        for e in refused.problem.errors
    )
    said = "The question can't be answered:" if fields else refused.problem.detail
    body = f'<p role="alert" class="alert">{escape(said)}</p>'
    if fields:
        body += f"<ul>{fields}</ul>"
    return _page(refused.problem.title, body + _ELSEWHERE)


def sign_in(*, onward: str, message: str = "") -> bytes:
    """The form; ``onward`` is where a sign-in leads, ``message`` why the last one failed."""
    alert = f'<p role="alert" class="alert">{escape(message)}</p>\n' if message else ""
    form = _FORM.format(action=SIGN_IN, next=escape(onward))
    return _page("Sign in", alert + form)


def _page(title: str, body: str) -> bytes:
    return _PAGE.format(
        title=escape(title), body=body, icon=href("icon.svg"), css=href("pages.css")
    ).encode()
