"""Third-party software and its licences: checks it against scripts/licences.toml, and writes NOTICE.

`python scripts/licences.py [--check] [--shipped FOLDER]`: with `--check` NOTICE is only compared; with `--shipped` the folder of a
package is searched for forbidden files. Run it where the program is installed from its lock file.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTICE = ROOT / "NOTICE"
_LOCKED = re.compile(r"^([a-z0-9-]+)==", re.MULTILINE)
SERVER = "Python, team server only: comes from the package index, in none of our packages"
_HEAD = """AI Popup
Copyright 2026 The AI Popup authors

Licensed under the Apache License, Version 2.0; see LICENSE.

What it brings along. The texts of these licences lie in the packages themselves, beside the libraries once installed.
Libraries under the LGPL stay files of their own, which may be replaced. What is marked (in opencv-python-headless) comes with the
package index's wheel only: the packages of Linux bring an OpenCV that is built without it. Made by `python scripts/licences.py`.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A third-party component; `licence` is an SPDX expression, empty if undeclared."""

    name: str
    licence: str
    where: str  # "Python", "inside wheels", "UI" or SERVER


def python_parts(rules: Mapping[str, Any]) -> Iterator[Part]:
    """Yield what the program's lock file names, for all systems."""
    for name in sorted(_locked("installers/locks/requirements.lock")):
        yield Part(name, rules["packages"].get(name) or _said(name), "Python")


def server_parts(rules: Mapping[str, Any]) -> Iterator[Part]:
    """Yield what the team server's lock file names besides."""
    for name in sorted(_locked("installers/locks/requirements-server.lock") - _locked("installers/locks/requirements.lock")):
        yield Part(name, rules["packages"].get(name) or _said(name), SERVER)


def library_parts(rules: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the shared libraries in separate folders beside the program's packages. Raises PackageNotFoundError."""
    for name in sorted(_locked("installers/locks/requirements.lock")):
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError:  # for another system
            continue
        for file in files:
            if file.parent.name.endswith(".libs") and ".so" in file.name:
                plain = re.split(r"[-.]", file.name)[0]
                known = [licence for prefix, licence in rules["libraries"].items() if plain.startswith(prefix)]
                yield Part(f"{plain} (in {name})", max(known, key=len, default=""), "inside wheels")


def ui_parts(rules: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the packages of the bundle and their dependencies."""
    packages = json.loads((ROOT / "ui" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    seen: set[str] = set()
    waiting = list(rules["ui"]["roots"])
    while waiting:
        name = waiting.pop()
        if name not in seen and (package := packages.get(f"node_modules/{name}")) is not None:
            seen.add(name)
            waiting += package.get("dependencies", {})
    for name in sorted(seen):
        yield Part(name, rules["ui"]["packages"].get(name) or packages[f"node_modules/{name}"].get("license", ""), "UI")


def allowed(expression: str, known: Mapping[str, str]) -> bool:
    """Return whether all parts joined by AND may be shipped; of parts joined by OR one is enough."""
    plain = expression.replace("(", "").replace(")", "")
    return all(any(one.strip() in known for one in each.split(" OR ")) for each in plain.split(" AND "))


def refused(folder: Path, rules: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files below `folder` that must not be shipped, each with the reason."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        for mark, why in rules["refused"].items():
            if mark in file.name:
                yield f"{file.relative_to(folder)}: {why}"


def texts(rules: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield the licences and notices that a package must include, each with the name of its component."""
    wanted = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
    for part in dict.fromkeys(python_parts(rules)):
        try:
            files = metadata.files(part.name) or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if any(folder.endswith(".dist-info") for folder in file.parts) and wanted.match(file.name):
                yield Path(str(metadata.distribution(part.name).locate_file(file))), part.name
    for part in ui_parts(rules):
        folder = ROOT / "ui" / "node_modules" / part.name
        if folder.is_dir():
            yield from ((file, part.name) for file in sorted(folder.iterdir()) if wanted.match(file.name))


def notice(parts: list[Part]) -> str:
    """Return NOTICE's text, without versions, which are in the lock files."""
    lines = [_HEAD]
    for where in dict.fromkeys(part.where for part in parts):
        lines += [f"\n{where}\n", *(f"  {part.name}: {part.licence}\n" for part in parts if part.where == where)]
    return "".join(lines)


def rules() -> dict[str, Any]:
    """Return scripts/licences.toml."""
    return tomllib.loads((ROOT / "scripts" / "licences.toml").read_text(encoding="utf-8"))


def main() -> int:
    """Return 1 if a component has no allowed licence or must not be shipped, or if NOTICE is out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--shipped", type=Path)
    words = parser.parse_args()
    listed = rules()
    if words.shipped is not None:
        found = list(refused(words.shipped, listed))
        print("\n".join(found) or "nothing that must not be shipped")
        return 1 if found else 0
    parts = list(dict.fromkeys([*python_parts(listed), *library_parts(listed), *server_parts(listed), *ui_parts(listed)]))
    bad = [part for part in parts if not allowed(part.licence, listed["allowed"])]
    for part in bad:
        print(f"{part.name}: {part.licence or 'no licence is said'}, which is not on the list of scripts/licences.toml")
    text = notice(parts)
    if not words.check:
        NOTICE.write_text(text, encoding="utf-8")
    elif NOTICE.read_text(encoding="utf-8") != text:
        print("NOTICE is out of date: python scripts/licences.py")
        return 1
    return 1 if bad else 0


def _locked(lock: str) -> set[str]:
    return set(_LOCKED.findall((ROOT / lock).read_text(encoding="utf-8")))


def _said(name: str) -> str:
    """Return the licence in the installed package's metadata, "" if there is none or it is not installed."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    said = told.json
    return str(said.get("license_expression") or said.get("license") or "").split("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
