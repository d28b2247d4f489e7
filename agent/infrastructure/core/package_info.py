"""How this program was packaged, as its packager recorded it."""

import base64
import binascii
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from agent.infrastructure.core.resources import resource

BUILD_FILE = "build.json"
_KEY_BYTES = 32


class PackageKind(StrEnum):
    """The kind of package the user installed."""

    DEB = "deb"
    RPM = "rpm"
    APPIMAGE = "appimage"
    NSIS = "nsis"
    MSI = "msi"
    DMG = "dmg"
    WHEEL = "wheel"


class Channel(StrEnum):
    STABLE = "stable"
    BETA = "beta"


def _ed25519(text: str | None) -> str | None:
    try:
        if text is None or len(base64.b64decode(text, validate=True)) == _KEY_BYTES:
            return text
    except binascii.Error:
        pass
    raise ValueError("not an Ed25519 public key in base64")


class Build(BaseModel):
    """One build. Without an address and a key the program contacts no update server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: PackageKind = PackageKind.WHEEL
    channel: Channel = Channel.STABLE
    update_address: str | None = None
    """The folder of the manifests: `<address>/<channel>.json`."""
    update_key: Annotated[str | None, AfterValidator(_ed25519)] = None
    """The Ed25519 public key they are signed with, base64."""
    loopback: bool = False
    """Plain http to this machine is good enough: for tests."""

    @property
    def updates(self) -> bool:
        """Return whether the build has an update address and a key."""
        return bool(self.update_address) and bool(self.update_key)


def read_build(folder: Path | None = None) -> Build:
    """Read `build.json`; a checkout or wheel has none. Raises ValidationError if it is malformed: a bug in the package."""
    try:
        text = ((folder or resource("build")) / BUILD_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Build()
    return Build.model_validate_json(text)
