"""The README names every package whose licence asks for more than a copy of itself. `make licences` prints them all."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
OURS = "persona-voice-server"

PERMISSIVE = {
    "0BSD", "3-Clause BSD License", "Apache 2.0", "Apache Software License", "Apache-2.0", "BSD License",
    "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC License", "ISC License (ISCL)", "MIT", "MIT License",
    "MIT-0", "PSF-2.0", "Public Domain", "Python Software Foundation License", "Zlib",
}  # fmt: skip
"""Licences that ask for no more than their text to be passed on, as packages write them."""

CARRIED = {"av": "GPL-3.0 (FFmpeg)", "wordfreq": "CC-BY-SA-4.0 (word lists)"}
"""What the metadata of a package does not say, since it is of what its wheels carry."""


def needed(name: str, extras: frozenset[str], seen: set[str]) -> Iterator[str]:
    """The packages that a package needs in this environment, with extras, itself first."""
    if canonicalize_name(name) in seen:
        return
    seen.add(canonicalize_name(name))
    yield canonicalize_name(name)
    for line in metadata.requires(name) or ():
        requirement = Requirement(line)
        wanted = [
            requirement.marker is None or requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}
        ]
        if any(wanted):
            yield from needed(requirement.name, frozenset(requirement.extras), seen)


def licence(name: str) -> str:
    """What a package says of its licence: an SPDX expression, a name, or its classifiers."""
    about: Any = metadata.metadata(name)
    named = [line for line in about.get_all("Classifier") or () if line.startswith("License :: ")]
    classifiers = " AND ".join(line.rpartition(" :: ")[2] for line in named)
    said = about.get("License-Expression") or classifiers or (about.get("License") or "").strip().partition("\n")[0]
    return " AND ".join(filter(None, [said or "nothing", CARRIED.get(name)]))


def asks_for_more(expression: str) -> bool:
    """True unless every part is permissive; of alternatives one is enough."""
    parts = re.split(r" AND ", re.sub(r"\(([^()]* OR [^()]*)\)", r"\1", expression))
    return not all(any(choice in PERMISSIVE for choice in part.split(" OR ")) for part in parts)


def report() -> dict[str, str]:
    """The licence of each package with which callers are served, the local engine among them."""
    return {
        name: licence(name) for name in needed(OURS, frozenset({"local", "cluster", "otel"}), set()) if name != OURS
    }


def unnamed(licences: dict[str, str], text: str) -> list[str]:
    """What the README does not name in its section of licences."""
    _, _, section = text.partition("\n## Licences\n")
    section = section.partition("\n## ")[0]
    return [name for name, said in licences.items() if asks_for_more(said) and f"`{name}`" not in section]


def test_the_readme_names_what_asks_for_more() -> None:
    """Copyleft, share-alike, proprietary, unknown."""
    licences = report()
    assert len(licences) > 40
    assert unnamed(licences, (ROOT / "README.md").read_text()) == []


def test_what_is_not_named_is_found() -> None:
    """An unknown licence is none that is allowed."""
    some = {"a": "MIT", "b": "GPL-3.0", "c": "nothing", "d": "MPL-2.0 AND (Apache-2.0 OR MIT)", "e": "GPL-2.0 OR MIT"}
    assert unnamed(some, "`b`\n## Licences\n`d` is there.\n## More\n`c`") == ["b", "c"]


if __name__ == "__main__":
    licences = report()
    for name, said in sorted(licences.items()):
        print(f"{name:32} {metadata.version(name):16} {said}{'  *' if asks_for_more(said) else ''}")
    if missing := unnamed(licences, (ROOT / "README.md").read_text()):
        raise SystemExit(f"The README does not name: {', '.join(missing)}")
