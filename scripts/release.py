"""Checks and prepares a release: `scripts/release.py tag v0.2.0`, `notes` and `files FOLDER`. Publishes nothing.

`tag` prints the channel, if the tag is the program's version and the two releases before are those whose libraries the tests upgrade
(tests/process/upgrade/releases.toml, docs/operate/upgrade.md); `notes` extracts the version's section of CHANGELOG.md; `files` checks each
installer against its size limit and writes SHA256SUMS.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent import __version__  # noqa: E402
from scripts.earlier_libraries import Release, releases  # noqa: E402

CHANGELOG = ROOT / "CHANGELOG.md"
SUMS = "SHA256SUMS"
# The largest download of each kind, in megabytes of 1,000,000 bytes. Windows and macOS have their own web view, Linux needs Qt's.
BUDGETS_MB = {".deb": 220, ".rpm": 220, ".AppImage": 300, ".exe": 130, ".msi": 130, ".dmg": 130, ".whl": 20}
_VERSION = re.compile(r"\d+\.\d+\.\d+((?:a|b|rc)\d+)?")
_UPGRADES_FROM = 2  # releases


def channel_of(tag: str, version: str) -> str:
    """ "stable", or "beta" for a pre-release. Raises ValueError for a tag that is not this version's."""
    if tag != f"v{version}":
        raise ValueError(f"the tag {tag} is not v{version}, which agent/__init__.py says")
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{version} is not a version such as 1.2.3 or 1.2.3b1")
    return "beta" if found[1] else "stable"


def check_upgrades(tag: str, tags: Sequence[str], tested: Sequence[Release]) -> None:
    """Check that the stable releases before `tag` are the ones whose libraries the tests upgrade. Raises ValueError."""
    stable = [each for each in tags if (found := _VERSION.fullmatch(each.removeprefix("v"))) and not found[1] and each != tag]
    before = sorted(stable, key=lambda each: [int(part) for part in each[1:].split(".")], reverse=True)[:_UPGRADES_FROM]
    missing = [each for each in before if each not in {release.tag for release in tested}]
    if missing:
        raise ValueError(f"tests/process/upgrade/releases.toml lacks {', '.join(missing)}: add it, then run scripts/earlier_libraries.py")


def notes_of(changelog: str, version: str) -> str:
    """Return the section of one version without its heading; a pre-release may still be under Unreleased. Raises ValueError."""
    parts = re.split(r"^## \[(.+?)\].*$", changelog, flags=re.MULTILINE)
    by_version = dict(zip(parts[1::2], parts[2::2], strict=True))
    tried_out = _VERSION.fullmatch(version)
    found = by_version.get(version) or (by_version.get("Unreleased") if tried_out and tried_out[1] else None)
    if not (found or "").strip():
        raise ValueError(f"CHANGELOG.md says nothing of {version}")
    return str(found).strip() + "\n"


def checked_files(folder: Path) -> list[str]:
    """Write SHA256SUMS; return a line per file. Raises ValueError for an empty folder and for files above their limit."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != SUMS)
    if not files:
        raise ValueError("no files")
    lines, sums, heavy = [], [], []
    for file in files:
        megabytes, budget = file.stat().st_size / 1_000_000, BUDGETS_MB.get(file.suffix)
        lines.append(f"{megabytes:8.1f} MB of {budget or '-':>4}  {file.name}")
        if budget is not None and megabytes > budget:
            heavy.append(f"{file.name}: {megabytes:.1f} MB, {budget} are allowed")
        with file.open("rb") as content:
            sums.append(f"{hashlib.file_digest(content, 'sha256').hexdigest()}  {file.name}\n")
    if heavy:
        raise ValueError("; ".join(heavy))
    (folder / SUMS).write_text("".join(sums), encoding="ascii", newline="\n")
    return lines


def _tags() -> list[str]:
    """Return the repository's tags. Raises ValueError without a repository."""
    done = subprocess.run(["git", "tag", "--list", "v*"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError("no Git repository: its tags say which releases were before")
    return done.stdout.split()


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tag").add_argument("tag")
    commands.add_parser("notes")
    commands.add_parser("files").add_argument("folder", type=Path)
    asked = parser.parse_args(words)
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a file or a terminal
    try:
        match asked.command:
            case "tag":
                channel = channel_of(asked.tag, __version__)
                check_upgrades(asked.tag, _tags(), releases())
                print(channel)
            case "notes":
                print(notes_of(CHANGELOG.read_text(encoding="utf-8"), __version__), end="")
            case _:
                print("\n".join(checked_files(asked.folder)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
