"""How a bucket is described, and how the versions of its objects are told apart."""

from datetime import UTC, datetime

import pytest

from agent.domain.errors import BucketInvalid
from agent.infrastructure.sources.bucket.bucket import Bucket, Keys, address_of, checked, parted, version_of

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_an_address_has_a_bucket_and_perhaps_a_prefix() -> None:
    assert address_of("s3://photos") == ("photos", "")
    assert address_of(" s3://photos/2026/may/ ") == ("photos", "2026/may")
    for wrong in ("photos", "https://photos", "s3://", "s3:///a", "s3://photos?x=1"):
        with pytest.raises(BucketInvalid):
            address_of(wrong)


def test_members_see_the_sources_name_and_the_key_alone() -> None:
    bucket = Bucket("bucket-1", "secret-bucket", "2026", "https://minio.example:9000")
    item = bucket.item("may/照片 a.jpg")
    assert item == "s3://bucket-1/may/照片 a.jpg"
    assert parted(item) == ("bucket-1", "may/照片 a.jpg")


@pytest.mark.parametrize(
    ("field", "bucket"),
    [
        ("name", Bucket("Upper", "photos")),
        ("name", Bucket("../keys", "photos")),
        ("name", Bucket("a/b", "photos")),
        ("bucket", Bucket("a", "x")),
        ("bucket", Bucket("a", "photos/../other")),
        ("region", Bucket("a", "photos", region="eu central")),
        ("prefix", Bucket("a", "photos", "a//b")),
        ("prefix", Bucket("a", "photos", "a/../b")),
        ("prefix", Bucket("a", "photos", "a\nb")),
        ("prefix", Bucket("a", "photos", "x" * 901)),
        ("endpoint", Bucket("a", "photos", endpoint="ftp://minio.example")),
        ("endpoint", Bucket("a", "photos", endpoint="https://user:secret@minio.example")),
        ("endpoint", Bucket("a", "photos", endpoint="https://minio.example/photos")),
        ("endpoint", Bucket("a", "photos", endpoint="https://minio.example:99999")),
        ("certificate", Bucket("a", "photos", certificate="a key")),
    ],
)
def test_what_can_not_be_right_is_named(field: str, bucket: Bucket) -> None:
    with pytest.raises(BucketInvalid) as refused:
        checked(bucket)
    assert refused.value.params == {"field": field}


def test_each_part_can_be_right() -> None:
    whole = Bucket("bucket-1", "photos.of.2026", "照片/may", "https://[::1]:9000/", "eu-central-1")
    assert checked(whole) is whole


def test_a_version_is_another_one_after_any_change_and_keeps_its_second() -> None:
    first = version_of(AT, '"a"')
    assert first // 1_000_000_000 == int(AT.timestamp())
    assert first == version_of(AT, '"a"')
    assert len({first, version_of(AT, '"b"'), version_of(AT.replace(second=1), '"a"'), version_of(AT, None)}) == 4
    assert 0 <= first < 2**63
    assert version_of(datetime(9999, 12, 31, tzinfo=UTC), None) < 2**63, "the library holds what any bucket says"


def test_keys_are_shown_by_no_representation() -> None:
    assert "secret" not in repr(Keys("id-of-key", "the secret")) and "id-of-key" not in repr(Keys("id-of-key", "the secret"))
