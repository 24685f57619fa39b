"""Reads a Dockerfile; as much of its grammar as ours uses, and an error for the rest."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Copy:
    """COPY: ``stage`` None means the build context; ``owner`` as in --chown."""

    sources: tuple[str, ...]
    target: str
    stage: str | None
    owner: str | None


@dataclass(frozen=True)
class Run:
    """RUN in the shell's form, in ``directory``."""

    command: str
    directory: str


@dataclass
class Stage:
    """One FROM and what follows."""

    name: str
    base: str
    steps: list[Copy | Run] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = ""
    volumes: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)


def parse(text: str) -> list[Stage]:
    """The stages in order. Raises ValueError for an instruction that we don't know."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, rest = line.split(maxsplit=1)
        if word == "ARG" and not stages:
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "FROM":
            base, *alias = rest.split(" AS ")
            base = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], base)
            stages.append(Stage(alias[0] if alias else str(len(stages)), base))
        else:
            _apply(stages[-1], word, rest)
    return stages


def _apply(stage: Stage, word: str, rest: str) -> None:
    match word:
        case "WORKDIR":
            stage.directory = rest
        case "ENV" | "LABEL":
            settings = stage.environ if word == "ENV" else stage.labels
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                settings[name] = value
        case "RUN":
            stage.steps.append(Run(rest, stage.directory))
        case "COPY":
            words = rest.split()
            options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
            *sources, target = (word for word in words if not word.startswith("--"))
            if options.keys() - {"from", "chown"}:
                raise ValueError(f"unknown option in COPY {rest}")
            absolute = target if target.startswith("/") else f"{stage.directory}/{target}"
            stage.steps.append(
                Copy(tuple(sources), absolute, options.get("from"), options.get("chown"))
            )
        case "USER":
            stage.user = rest
        case "VOLUME":
            stage.volumes.append(rest)
        case "EXPOSE":
            stage.ports.append(rest)
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        case _:
            raise ValueError(f"unknown instruction {word}")
