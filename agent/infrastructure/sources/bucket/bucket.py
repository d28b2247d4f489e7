"""What a bucket is: where it is, how it is accessed, and how its objects are named in the library."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from agent.domain.errors import BucketInvalid
from agent.domain.image import storable
from agent.domain.path_text import BUCKET_START

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_REGION: Final = re.compile(r"[A-Za-z0-9-]{0,40}")
_ADDRESS: Final = re.compile(r"s3://([^/?#]+)(?:/([^?#]*))?")
_MOST_PREFIX: Final = 900


class BucketAccess(StrEnum):
    """Who the bucket is told we are."""

    KEYS = "keys"  # an access key and its secret, which each computer keeps for itself
    ANONYMOUS = "anonymous"
    ROLE = "role"  # what the computer or container was given by its cloud


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key. Its representation shows nothing."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return "Keys()"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, or what is below a prefix of it, as a source. Items are called `s3://name/key`, the key without the prefix."""

    name: str
    bucket: str
    prefix: str = ""  # without slashes at its ends
    endpoint: str = ""  # empty: AWS
    region: str = ""
    path_style: bool = True
    access: BucketAccess = BucketAccess.KEYS
    minutes: int = 15  # between two listings
    certificate: str = ""  # PEM of an authority that is trusted besides the system's

    @property
    def place(self) -> str:
        """A digest of where requests go: keys are good for one place. Prefix, style and name lead nowhere else."""
        return hashlib.sha256("\n".join((self.endpoint.rstrip("/"), self.region, self.bucket)).encode()).hexdigest()

    @property
    def root(self) -> str:
        return f"{BUCKET_START}{self.name}"

    def item(self, key: str) -> str:
        return f"{self.root}/{key}"


@dataclass(frozen=True, slots=True)
class BucketState:
    """What the last listing said."""

    listed_at: datetime | None = None  # the end of the last whole one
    failing_since: datetime | None = None  # it could not be listed since then
    problem: str = ""  # a code; with `failing_since` None, it was listed, but not everything in it can be read


def is_name(name: str) -> bool:
    """Return whether a source can be called so."""
    return _NAME.fullmatch(name) is not None


def address_of(address: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`. Raises BucketInvalid."""
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        raise BucketInvalid(field="address")
    return found[1], (found[2] or "").strip("/")


def checked(bucket: Bucket) -> Bucket:
    """Return it if each part can be right. Raises BucketInvalid."""
    for field, value, form in (("name", bucket.name, _NAME), ("bucket", bucket.bucket, _BUCKET), ("region", bucket.region, _REGION)):
        if form.fullmatch(value) is None:
            raise BucketInvalid(field=field)
    parts = bucket.prefix.split("/") if bucket.prefix else []
    if len(bucket.prefix.encode("utf-8", "surrogatepass")) > _MOST_PREFIX or not all(_fits(part) for part in parts):
        raise BucketInvalid(field="prefix")
    if bucket.endpoint and not _is_endpoint(bucket.endpoint):
        raise BucketInvalid(field="endpoint")
    if bucket.certificate and "-----BEGIN CERTIFICATE-----" not in bucket.certificate:
        raise BucketInvalid(field="certificate")
    return bucket


def parted(item: str) -> tuple[str, str]:
    """Return the source's name and the key of an item."""
    name, _, key = item.removeprefix(BUCKET_START).partition("/")
    return name, key


def version_of(modified: datetime, etag: str | None) -> int:
    """Return one number for an object's version, in the place of a file's time: its second, and in the part below that its ETag.

    So an object replaced within the same second by one of the same size is noticed, too.
    """
    seconds = int(modified.astimezone(UTC).timestamp())
    return storable(seconds * 1_000_000_000 + _number_of(etag or str(modified.microsecond)))


def _number_of(text: str) -> int:
    number = 0
    for byte in text.encode("utf-8", "surrogatepass"):
        number = (number * 257 + byte) % 999_999_937
    return number


def _fits(part: str) -> bool:
    return part not in ("", ".", "..") and not any(ord(letter) < 32 or ord(letter) == 127 for letter in part)


def _is_endpoint(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password) and parts.path in ("", "/")
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain and port != 0
