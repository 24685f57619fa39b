"""The software bill of materials: CycloneDX, from what is installed for one platform."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reactor import __version__
from release.single import Platform, installed
from release.wheel import Built

PROJECT = "linkerd-smi-reactor"


def write(built: Built, out: Path, *, platform: Platform, python: str, epoch: int) -> Path:
    """The bill in JSON; the same bytes for the same release."""
    with tempfile.TemporaryDirectory() as scratch:
        installed(built, Path(scratch), platform=platform, python=python)
        found = list(distributions(path=[scratch]))
        text = _bill(found, python=python, epoch=epoch)
    path = out / f"linkerd-smi-{__version__}.cdx.json"
    path.write_text(text)
    return path


def _bill(found: list[Distribution], *, python: str, epoch: int) -> str:
    components = {str(canonicalize_name(one.name)): _component(one) for one in found}
    extras: defaultdict[str, set[str]] = defaultdict(lambda: {""})
    for one in found:
        for asked in map(Requirement, one.requires or ()):
            extras[canonicalize_name(asked.name)] |= asked.extras
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"{PROJECT}@{__version__}"))
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    bom.metadata.component = components[PROJECT]
    for name, component in components.items():
        if name != PROJECT:
            bom.components.add(component)
    for one in found:
        name = canonicalize_name(one.name)
        needed = _required(one, extras=extras[name], python=python)
        there = [components[each] for each in needed if each in components]
        bom.register_dependency(components[name], there)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(one: Distribution) -> Component:
    name = canonicalize_name(one.name)
    component = Component(
        name=name,
        version=one.version,
        type=ComponentType.APPLICATION if name == PROJECT else ComponentType.LIBRARY,
        bom_ref=f"{name}=={one.version}",
        purl=PackageURL("pypi", None, name, one.version),
        description=str(one.metadata.json.get("summary", "")) or None,
    )
    if license := _license(one):
        component.licenses.add(
            LicenseFactory().make_from_string(
                license, license_acknowledgement=LicenseAcknowledgement.DECLARED
            )
        )
    return component


def _license(one: Distribution) -> str | None:
    """As the package declares it: an expression, else a few words, else its classifier's."""
    metadata = one.metadata.json
    stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    if stated and len(stated) < 100 and "\n" not in stated:
        return stated
    for line in metadata.get("classifier", ()):
        if match := re.fullmatch(r"License :: (?:.* :: )?(.+)", line):
            return match[1]
    return None


def _required(one: Distribution, *, extras: set[str], python: str) -> list[str]:
    """The names that it asks for on that Python, with the extras that others ask of it."""
    environments = [
        {"extra": extra, "python_version": python, "python_full_version": f"{python}.0"}
        for extra in extras
    ]
    asked = map(Requirement, one.requires or ())
    return sorted(
        {
            canonicalize_name(each.name)
            for each in asked
            if each.marker is None or any(map(each.marker.evaluate, environments))
        }
    )
