"""Connections to buckets: with which keys, for how long, and when they are made anew."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from agent.domain.errors import BucketInside, BucketKeysAgain, BucketKeysWrong, BucketNoKeys, BucketUnknown
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketAccess, Keys
from agent.infrastructure.sources.bucket.bucket_reader import BucketReader, ReadLimits
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.server.libraries.bucket_keys import BucketKeys

if TYPE_CHECKING:
    from pathlib import Path

    from agent.infrastructure.sources.bucket.bucket_store import BucketStore

BUCKET = Bucket("bucket-1", "photos")
KEYS = Keys("id", "secret")


class World:
    """What is known, and what was connected to."""

    def __init__(self) -> None:
        self.bucket: Bucket | None = BUCKET
        self.keys: Keys | None = KEYS
        self.now = 0.0
        self.made: list[tuple[Bucket, Keys | None]] = []
        self.refuses: Exception | None = None
        self.read_keys: list[str] = []
        self.refused: Exception | None = None
        self.reader = BucketReader(
            lambda _: self.bucket, lambda _: self.keys, lambda: ReadLimits(9, 1.0), self._connect, lambda: self.now, self._check
        )

    def _check(self, bucket: Bucket) -> None:
        if self.refused is not None:
            raise self.refused

    def _connect(self, bucket: Bucket, keys: Keys | None) -> BucketStore:
        self.made.append((bucket, keys))
        return cast("BucketStore", self)

    def read(self, key: str, *, most_bytes: int, limit_s: float) -> int:
        assert (most_bytes, limit_s) == (9, 1.0)
        self.read_keys.append(key)
        if self.refuses is not None:
            raise self.refuses
        return 7


def test_one_connection_serves_many_objects() -> None:
    world = World()
    assert [world.reader.open(f"s3://bucket-1/may/{name}.jpg") for name in "ab"] == [7, 7]
    assert world.read_keys == ["may/a.jpg", "may/b.jpg"]
    assert world.made == [(BUCKET, KEYS)]


def test_other_keys_are_noticed_after_a_while_and_at_once_after_a_refusal() -> None:
    world = World()
    world.reader.open("s3://bucket-1/a.jpg")
    world.now = 31.0
    world.reader.open("s3://bucket-1/a.jpg")
    assert len(world.made) == 1, "nothing has changed"
    world.keys = Keys("other", "secret")
    world.now = 62.0
    world.reader.open("s3://bucket-1/a.jpg")
    assert [keys for _, keys in world.made] == [KEYS, world.keys]
    world.refuses = BucketKeysWrong()
    with pytest.raises(BucketKeysWrong):
        world.reader.open("s3://bucket-1/a.jpg")
    world.refuses, world.keys = None, KEYS
    world.reader.open("s3://bucket-1/a.jpg")
    assert world.made[-1] == (BUCKET, KEYS)


def test_without_keys_nothing_is_asked() -> None:
    world = World()
    world.keys = None
    with pytest.raises(BucketNoKeys):
        world.reader.open("s3://bucket-1/a.jpg")
    world.bucket = None
    with pytest.raises(BucketUnknown):
        world.reader.open("s3://bucket-1/a.jpg")
    assert world.made == []


@pytest.mark.parametrize("access", [BucketAccess.ANONYMOUS, BucketAccess.ROLE])
def test_other_ways_of_access_take_no_keys(access: BucketAccess) -> None:
    world = World()
    world.bucket = Bucket("bucket-1", "photos", access=access)
    world.reader.open("s3://bucket-1/a.jpg")
    assert world.made == [(world.bucket, None)]


def test_keys_are_kept_by_name_and_come_before_those_of_the_environment(tmp_path: Path) -> None:
    keys = BucketKeys(FileSecretStore(tmp_path / "keys"), {"AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "its secret"})
    assert keys.of(BUCKET) == Keys("env", "its secret")
    keys.keep(BUCKET, KEYS)
    assert (keys.of(BUCKET), keys.of(replace(BUCKET, name="bucket-2"))) == (KEYS, Keys("env", "its secret"))
    keys.forget("bucket-1")
    assert BucketKeys(FileSecretStore(tmp_path / "keys"), {"AWS_ACCESS_KEY_ID": "half"}).of(BUCKET) is None
    FileSecretStore(tmp_path / "keys").write("bucket-bucket-1", json.dumps(["one"]).encode())
    assert keys.of(BUCKET) is None, "what is kept is damaged"


ELSEWHERE = [replace(BUCKET, endpoint="https://other.example"), replace(BUCKET, region="eu-west-1"), replace(BUCKET, bucket="other")]


@pytest.mark.parametrize("moved", ELSEWHERE)
def test_keys_sign_for_the_place_they_were_entered_for_alone(tmp_path: Path, moved: Bucket) -> None:
    keys = BucketKeys(FileSecretStore(tmp_path / "keys"), {"AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "its secret"})
    keys.keep(BUCKET, KEYS)
    with pytest.raises(BucketKeysAgain):
        keys.of(moved)
    assert keys.of(replace(BUCKET, prefix="2026", path_style=False, minutes=60)) == KEYS


def test_keys_without_a_place_belong_to_that_of_the_source_for_which_they_are_first_used(tmp_path: Path) -> None:
    keys = BucketKeys(FileSecretStore(tmp_path / "keys"), {})
    keys.keep_for("bucket-1", KEYS)
    with pytest.raises(BucketKeysAgain):
        keys.of(ELSEWHERE[0], is_source=False)  # as an administrator describes it
    assert keys.of(BUCKET) == KEYS
    with pytest.raises(BucketKeysAgain):
        keys.of(ELSEWHERE[0])


def test_each_connection_is_checked_and_one_that_is_there_again_after_a_while() -> None:
    world = World()
    world.reader.open("s3://bucket-1/a.jpg")
    world.refused = BucketInside()
    world.reader.open("s3://bucket-1/a.jpg")
    world.now = 31.0
    with pytest.raises(BucketInside):
        world.reader.open("s3://bucket-1/a.jpg")
    with pytest.raises(BucketInside):
        world.reader.try_out(BUCKET, KEYS)
    assert len(world.made) == 1
