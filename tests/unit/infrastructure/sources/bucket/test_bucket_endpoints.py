"""Which endpoints are connected to: an administrator's stolen session must not read what only the server can reach."""

import pytest

from agent.domain.errors import BucketInside, BucketUnresolved
from agent.infrastructure.sources.bucket.bucket import Bucket
from agent.server.libraries.bucket_endpoints import endpoint_check

NAMES = {"store.example": ["203.0.113.9", "93.184.216.34"], "public.example": ["93.184.216.34"], "photos.public.example": ["10.0.0.7"]}
INSIDE = ("127.0.0.1", "10.0.0.7", "192.168.1.2", "169.254.169.254", "[::1]", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:10.0.0.7]")


def resolve(host: str, port: int) -> list[str]:
    if host in NAMES:
        return NAMES[host]
    if any(letter.isdigit() for letter in host):
        return [host]
    raise OSError


def bucket(endpoint: str, *, path_style: bool = True) -> Bucket:
    return Bucket("bucket-1", "photos", endpoint=endpoint, path_style=path_style)


CHECK = endpoint_check(inside=lambda: False, resolve=resolve)


@pytest.mark.parametrize("address", INSIDE)
def test_an_endpoint_inside_is_refused_unless_the_host_allows_it(address: str) -> None:
    with pytest.raises(BucketInside) as raised:
        CHECK(bucket(f"https://{address}:9000"))
    assert raised.value.params == {}
    endpoint_check(inside=lambda: True, resolve=resolve)(bucket(f"http://{address}:9000"))


def test_one_address_inside_is_enough_and_the_buckets_own_host_counts() -> None:
    with pytest.raises(BucketInside):
        CHECK(bucket("https://store.example"))  # 203.0.113.0/24 is no one's
    CHECK(bucket("https://public.example"))
    with pytest.raises(BucketInside):
        CHECK(bucket("https://public.example", path_style=False))


def test_plain_http_is_refused_because_a_redirect_leads_anywhere() -> None:
    with pytest.raises(BucketInside) as raised:
        CHECK(bucket("http://public.example"))
    assert raised.value.params == {"plain": 1}


def test_a_name_without_an_address_and_amazon() -> None:
    with pytest.raises(BucketUnresolved):
        CHECK(bucket("https://nowhere.example"))
    CHECK(bucket(""))
