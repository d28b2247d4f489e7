"""Creates and signs the update manifest of a release: `scripts/update_manifest.py --files FOLDER --address https://… --out FOLDER`.

The private key (32 bytes, base64) is read from the environment, `AI_POPUP_UPDATE_PRIVATE_KEY`, or from `--key FILE`; it is never an
argument. `--new-key FILE` creates one, owner-only, and prints the public key for builds (`AI_POPUP_BUILD_UPDATE_KEY`).
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent import __version__  # noqa: E402
from agent.features.updates.manifest import PURPOSE, FileEntry, Manifest, opened  # noqa: E402
from agent.features.updates.releases import Version  # noqa: E402

KEY_VARIABLE = "AI_POPUP_UPDATE_PRIVATE_KEY"
EXPIRES_DAYS = 120
# By the extension of a release file. A Windows installer is distinguished from other programs by its name.
_ENDINGS = {
    ".appimage": ("appimage", "linux"),
    ".deb": ("deb", "linux"),
    ".rpm": ("rpm", "linux"),
    ".exe": ("nsis", "windows"),
    ".msi": ("msi", "windows"),
    ".dmg": ("dmg", "macos"),
}
_MACHINES = {"amd64": "x86_64", "x64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


def entries(folder: Path, address: str) -> Iterator[FileEntry]:
    """Yield one entry for each installer in `folder`; other files (checksums, wheels, SBOMs) are skipped."""
    for path in sorted(folder.iterdir()):
        ending = path.suffix.lower()
        if path.is_file() and ending in _ENDINGS:
            kind, system = _ENDINGS[ending]
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            yield FileEntry.model_validate(
                {
                    "kind": kind,
                    "platform": f"{system}-{_machine(path.name, system)}",
                    "address": f"{address.rstrip('/')}/{path.name}",
                    "size": path.stat().st_size,
                    "sha256": sha256,
                }
            )


def _machine(name: str, system: str) -> str:
    """Return the machine from the file's name; the default is arm64 on a Mac, x86_64 elsewhere."""
    found = [_MACHINES[word] for word in re.split(r"[-_.]", name.lower().replace("x86_64", "x64")) if word in _MACHINES]
    return found[-1] if found else "arm64" if system == "macos" else "x86_64"


def private_key(file: Path | None) -> bytes:
    """Return the private key. Raises SystemExit, whose message reveals nothing of the key."""
    text = file.read_text(encoding="ascii") if file else os.environ.get(KEY_VARIABLE, "")
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SystemExit(f"no private key of 32 bytes in base64 in {file or KEY_VARIABLE}")
    return key


def public_key(private_key: bytes) -> str:
    """Return the key for a build's configuration, base64."""
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()).decode()


def manifest_of(
    version: str,
    channel: Literal["stable", "beta"],
    files: Sequence[FileEntry],
    news: dict[str, str],
    *,
    published: datetime,
    expires: datetime,
) -> Manifest:
    """Return the manifest, checked as a reader checks it. Raises ValidationError."""
    whole = {"version": version, "channel": channel, "files": tuple(files), "news": news}
    times = {"published": published.astimezone(UTC).replace(microsecond=0), "expires": expires.astimezone(UTC).replace(microsecond=0)}
    return Manifest.model_validate({**whole, **times})


def signed(manifest: Manifest, private_key: bytes) -> bytes:
    """Return the envelope; `private_key` has 32 bytes."""
    text = manifest.model_dump_json()
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(PURPOSE + text.encode())
    return json.dumps({"manifest": text, "signature": base64.b64encode(signature).decode()}, indent=1).encode() + b"\n"


def news_of(pages: list[str]) -> dict[str, str]:
    """Return the texts of `en=FILE` arguments by language."""
    return {
        language: Path(file).read_text(encoding="utf-8").strip()[:4_000] for language, _, file in (page.partition("=") for page in pages)
    }


def make_key(file: Path) -> str:
    """Write a new private key, never over another; return the public one."""
    key = secrets.token_bytes(32)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(base64.b64encode(key).decode() + "\n")
    return public_key(key)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="the folder with the release's files")
    parser.add_argument("--address", help="where that folder is published, https")
    parser.add_argument("--out", type=Path, help="the folder for <channel>.json")
    parser.add_argument("--version", default=__version__)
    parser.add_argument("--channel", choices=("stable", "beta"), help="by default beta for a version such as 1.2.3b1, else stable")
    parser.add_argument("--news", action="append", default=[], metavar="en=FILE", help="what is new, a text file per language")
    parser.add_argument("--expires-days", type=int, default=EXPIRES_DAYS)
    parser.add_argument("--key", type=Path, help=f"a file with the private key, instead of {KEY_VARIABLE}")
    parser.add_argument("--new-key", type=Path, help="make a private key in this file, print the public one, and do nothing else")
    asked = parser.parse_args(words)
    if asked.new_key:
        print(make_key(asked.new_key))
        return 0
    if not (asked.files and asked.address and asked.out):
        parser.error("--files, --address and --out are needed")
    if not asked.address.startswith("https://"):
        parser.error("the address must be https: nothing else is believed")
    finished = Version.parse(asked.version) >= Version.parse(re.split(r"[a-z]", asked.version)[0])
    channel: Literal["stable", "beta"] = asked.channel or ("stable" if finished else "beta")
    files = list(entries(asked.files, asked.address))
    if not files:
        parser.error("no installer among the files")
    now = datetime.now(UTC)
    manifest = manifest_of(
        asked.version, channel, files, news_of(asked.news), published=now, expires=now + timedelta(days=asked.expires_days)
    )
    key = private_key(asked.key)
    envelope = signed(manifest, key)
    opened(envelope, public_key(key))  # an unreadable manifest is not published
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / f"{channel}.json").write_bytes(envelope)
    print(f"{channel}.json: {asked.version}, {len(files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
