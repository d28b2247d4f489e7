"""Reads the signed manifest: an envelope with the exact signed text and its Ed25519 signature."""

import base64
import binascii
import json
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.domain.errors import UpdateNotUnderstood, UpdateUntrusted
from agent.features.updates.releases import Release, ReleaseFile, Version

MAX_BYTES = 256 * 1024
# Signed together with the text, so that a signature for other content is never valid for a manifest.
PURPOSE = b"ai-popup update manifest 1\n"

# Plain enough for a command line and as the end of a file name.
Address: TypeAlias = Annotated[
    str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9~%+_-][A-Za-z0-9._~%+-]*)+$", max_length=500)
]


class FileEntry(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: Literal["deb", "rpm", "appimage", "nsis", "msi", "dmg", "wheel"]
    platform: Annotated[str, Field(pattern=r"^(linux|windows|macos)-[a-z0-9_]+$")]
    address: Address
    size: Annotated[int, Field(gt=0, lt=4 * 1024**3)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """The signed content. Unknown keys are ignored: a later version may add data for later versions."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    version: str
    channel: Literal["stable", "beta"]
    published: AwareDatetime
    expires: AwareDatetime
    news: dict[Annotated[str, Field(pattern=r"^[A-Za-z-]{2,10}$")], Annotated[str, Field(max_length=4_000)]] = {}
    files: Annotated[tuple[FileEntry, ...], Field(max_length=100)] = ()

    @field_validator("version")
    @classmethod
    def _is_version(cls, value: str) -> str:
        Version.parse(value)
        return value


def opened(envelope: bytes, key: str) -> Release:
    """The content signed with the private key to `key` (base64). It is parsed only after the signature is verified.

    Raises UpdateUntrusted, UpdateNotUnderstood.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        parts = json.loads(envelope)
        text, signature = parts["manifest"].encode(), base64.b64decode(parts["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, PURPOSE + text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error, InvalidSignature) as error:
        raise UpdateUntrusted from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise UpdateNotUnderstood from error
    return Release(
        version=manifest.version,
        channel=manifest.channel,
        published=manifest.published,
        expires=manifest.expires,
        news=manifest.news,
        files=tuple(ReleaseFile(**entry.model_dump()) for entry in manifest.files),
    )
