"""The API schemas of buckets as sources. No answer holds a key."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from agent.domain.errors import AgentError, from_code
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketAccess, address_of
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Id, Problem
from agent.server.libraries.buckets import BucketSeen
from agent.server.libraries.buckets import Checked as CheckResult

Address = Annotated[str, Field(min_length=6, max_length=1_000, examples=["s3://photos/2026"])]
SourceName = Annotated[str, Field(max_length=63)]
Endpoint = Annotated[str, Field(max_length=500, examples=["https://minio.example:9000"])]
Region = Annotated[str, Field(max_length=40, examples=["eu-central-1"])]
Minutes = Annotated[int, Field(ge=1, le=10_080)]
Certificate = Annotated[str, Field(max_length=100_000)]
Secret = Annotated[str, Field(min_length=1, max_length=500)]


class BucketKeysIn(Schema):
    """An access key and its secret. They are kept on the server's computer, and never sent back."""

    key_id: Secret
    secret: Secret


class BucketWanted(Schema):
    address: Address
    """`s3://bucket`, or `s3://bucket/prefix` for what is below that"""
    name: SourceName = ""
    """by which members may see it; empty gives it one"""
    endpoint: Endpoint = ""
    """empty: Amazon"""
    region: Region = ""
    path_style: bool = True
    """the bucket is in the path of its address, not in the name of the host"""
    access: BucketAccess = BucketAccess.KEYS
    minutes: Minutes = 15
    """between two listings"""
    certificate: Certificate = ""
    """PEM of an authority that is trusted besides the system's"""
    keys: BucketKeysIn | None = None

    def bucket(self) -> Bucket:
        """Raises BucketInvalid."""
        bucket, prefix = address_of(self.address)
        return Bucket(
            self.name,
            bucket,
            prefix,
            self.endpoint.strip(),
            self.region.strip(),
            path_style=self.path_style,
            access=self.access,
            minutes=self.minutes,
            certificate=self.certificate,
        )


class BucketAdd(BucketWanted):
    library_id: Id


class BucketChange(Schema):
    """Omitted fields stay unchanged."""

    address: Address | None = None
    endpoint: Endpoint | None = None
    region: Region | None = None
    path_style: bool | None = None
    access: BucketAccess | None = None
    minutes: Minutes | None = None
    certificate: Certificate | None = None
    keys: BucketKeysIn | None = None

    def values(self) -> dict[str, object]:
        """Return what is to be changed about the bucket. Raises BucketInvalid."""
        said = self.model_dump(exclude_none=True, exclude={"keys", "address"})
        if self.address is not None:
            said["bucket"], said["prefix"] = address_of(self.address)
        return said


class BucketOut(Schema):
    """A bucket as a source."""

    name: str
    address: str
    endpoint: str
    region: str
    path_style: bool
    access: BucketAccess
    minutes: int
    certificate: bool
    """an authority of its own is trusted"""
    has_keys: bool
    """the server's computer has keys for it"""
    library_id: int | None
    photos: int
    listed_at: datetime | None
    """the end of the last listing"""
    failing_since: datetime | None
    """it could not be listed since then; its photos stay"""
    problem: Problem | None

    @classmethod
    def of(cls, seen: BucketSeen, texts: Texts) -> Self:
        bucket, state = seen.bucket, seen.state
        address = f"s3://{bucket.bucket}/{bucket.prefix}".rstrip("/")
        error: AgentError | None = from_code(state.problem, {}) if state.problem else None
        return cls.from_record(
            bucket,
            address=address,
            certificate=bool(bucket.certificate),
            has_keys=seen.has_keys,
            library_id=seen.library_id,
            photos=seen.photos,
            listed_at=state.listed_at,
            failing_since=state.failing_since,
            problem=Problem.maybe(error, texts),
        )


class BucketsOut(Schema):
    items: tuple[BucketOut, ...]


class BucketChecked(Schema):
    holds_objects: bool
    problem: Problem | None
    """what is in the way; null: it can be listed"""

    @classmethod
    def of(cls, result: CheckResult, texts: Texts) -> Self:
        return cls(holds_objects=result.holds_objects, problem=Problem.maybe(result.problem, texts))
