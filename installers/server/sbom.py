"""Writes the image's bill of materials (CycloneDX 1.6): what is installed, with the hashes that the locks name.

`sbom.py --program FOLDER --source FOLDER --output FILE`, inside the image. SOURCE has the locks. Same contents, same file.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

Component = dict[str, Any]
_LOCKED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<rest>(?:.*\\\n)*.*)", re.MULTILINE)


def bill(version: str, components: list[Component]) -> dict[str, Any]:
    """Return the whole document. Its number follows from its content."""
    components = sorted(components, key=lambda each: str(each["bom-ref"]))
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {"component": {"type": "container", "bom-ref": "ai-popup", "name": "ai-popup", "version": version}},
        "components": components,
    }


def debian(status: str, distribution: str) -> Iterator[Component]:
    """Yield the packages of lines `name<TAB>version<TAB>architecture`."""
    for line in status.splitlines():
        name, version, architecture = line.split("\t")
        where = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}&distro={distribution}"
        yield {"type": "library", "bom-ref": where, "name": name, "version": version, "purl": where}


def python(packages: Path, locks: Mapping[tuple[str, str], list[str]]) -> Iterator[Component]:
    """Yield the installed Python packages. `locks`: (name, version) -> SHA-256 of the files that may have been installed."""
    for metadata in packages.glob("*.dist-info/METADATA"):
        said = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"))
        name, version = re.sub(r"[-_.]+", "-", said["Name"]).lower(), said["Version"]
        where = f"pkg:pypi/{name}@{quote(version)}"
        component: Component = {"type": "library", "bom-ref": where, "name": name, "version": version, "purl": where}
        if licence := said["License-Expression"]:
            component["licenses"] = [{"expression": licence}]
        # The lock names one file for each system and Python: any of them is this version.
        component["properties"] = [{"name": "ai-popup:locked-sha256", "value": each} for each in locks.get((name, version), [])]
        yield component


def pages(lock: Mapping[str, Any]) -> Iterator[Component]:
    """Yield what the pages are built from. The build keeps parts of some packages only; the lock does not say of which."""
    for place, entry in lock["packages"].items():
        if not place or entry.get("optional"):
            continue
        name, version = place.rpartition("node_modules/")[2], entry["version"]
        where = f"pkg:npm/{quote(name)}@{quote(version)}"
        known = {"type": "library", "bom-ref": f"{where}#{place}", "name": name, "version": version, "purl": where, "scope": "optional"}
        yield {**known, "properties": [{"name": "ai-popup:integrity", "value": entry.get("integrity", "")}]}


def models(folder: Path) -> Iterator[Component]:
    """Yield the models that are there, by the manifest beside them."""
    for model in tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))["model"]:
        for file, sha256 in model["files"].items():
            if (folder / model["name"] / file).is_file():
                yield {
                    "type": "machine-learning-model",
                    "bom-ref": f"model:{model['name']}/{file}",
                    "name": f"{model['name']}/{file}",
                    "version": sha256[:12],
                    "hashes": [{"alg": "SHA-256", "content": sha256}],
                    "licenses": [{"license": {"name": model["licence"]}}],
                }


def locked(text: str) -> dict[tuple[str, str], list[str]]:
    """Return (name, version) -> SHA-256 of a lock file's files."""
    hashes = re.compile(r"--hash=sha256:([0-9a-f]{64})")
    return {(found["name"], found["version"]): hashes.findall(found["rest"]) for found in _LOCKED.finditer(text)}


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("--program", "--source", "--output"):
        parser.add_argument(name, type=Path, required=True)
    words = parser.parse_args()
    [packages] = words.program.glob("lib/python3*/site-packages")
    program = words.program / "program" / "agent"
    locks: dict[tuple[str, str], list[str]] = {}
    for file in sorted(words.source.glob("requirements-*.lock")):
        locks |= locked(file.read_text(encoding="utf-8"))
    listed = ["dpkg-query", "-W", "-f=${Package}\t${Version}\t${Architecture}\n"]
    status = subprocess.run(listed, capture_output=True, text=True, check=True, timeout=60).stdout
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line)
    distribution = "-".join(release.get(key, "").strip('"') for key in ("ID", "VERSION_ID"))
    [version] = re.findall(r'^__version__ = "(.+)"$', (program / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    found = [
        *debian(status, distribution),
        *python(packages, locks),
        *pages(json.loads((words.source / "package-lock.json").read_text(encoding="utf-8"))),
        *models(program / "_data" / "models"),
    ]
    words.output.write_text(json.dumps(bill(version, found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{words.output.name}: {len(found)} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
