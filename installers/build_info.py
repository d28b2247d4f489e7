"""Writes `build.json`, which tells the installed program its package kind and its update address."""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["deb", "rpm", "appimage", "nsis", "msi", "dmg", "wheel"]

FILE = "build.json"
# Its place inside the program's folder, as PyInstaller lays it out.
FOLDER = Path("agent", "_data", "build")
CHANNEL = "AI_POPUP_BUILD_CHANNEL"
UPDATE_ADDRESS = "AI_POPUP_BUILD_UPDATE_ADDRESS"
UPDATE_KEY = "AI_POPUP_BUILD_UPDATE_KEY"
_CHANNELS = ("stable", "beta")
_KEY_BYTES = 32


def write_build(folder: Path, kind: Kind, environ: Mapping[str, str] = os.environ) -> Path:
    """Write `folder/build.json`, from the environment's AI_POPUP_BUILD_* if they are set. Returns the file.

    An address without a key, or a key without an address, would create an updater that can't work: raises ValueError, as
    for an unknown kind or channel, an address that is not https, or a key that is not an Ed25519 public key in base64.
    """
    channel = environ.get(CHANNEL) or "stable"
    address, key = environ.get(UPDATE_ADDRESS) or None, environ.get(UPDATE_KEY) or None
    if kind not in get_args(Kind):
        raise ValueError(f"unknown kind of package: {kind}")
    if channel not in _CHANNELS:
        raise ValueError(f"{CHANNEL} is neither of {_CHANNELS}")
    if (address is None) != (key is None):
        raise ValueError(f"{UPDATE_ADDRESS} and {UPDATE_KEY} go together")
    if address is not None and not address.startswith("https://"):
        raise ValueError(f"{UPDATE_ADDRESS} is not an https address")
    if key is not None and len(base64.b64decode(key, validate=True)) != _KEY_BYTES:
        raise ValueError(f"{UPDATE_KEY} is not an Ed25519 public key")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    facts = {"kind": kind, "channel": channel, "update_address": address, "update_key": key}
    file.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return file
