"""Which endpoints of buckets a server and its workers connect to."""

from collections.abc import Callable
from urllib.parse import urlsplit

from agent.domain.errors import BucketInside, BucketUnresolved
from agent.infrastructure.sources.bucket.bucket import Bucket
from agent.interfaces.web.client_address import Inside, Resolve, addresses_of, allowed_addresses


def endpoint_check(*, inside: Callable[[], bool], resolve: Resolve = addresses_of) -> Callable[[Bucket], None]:
    """Return what raises BucketInside, BucketUnresolved unless an endpoint is on the internet and speaks HTTPS, or `inside` allows others.

    The name is resolved again by the connection, and a redirect is followed: TLS makes sure that neither leads to a service inside, which
    has no certificate for the endpoint's name. It blocks.
    """

    def check(bucket: Bucket) -> None:
        if not bucket.endpoint or inside():
            return
        parts = urlsplit(bucket.endpoint)
        host = parts.hostname or ""
        if parts.scheme != "https":
            raise BucketInside(plain=1)
        try:
            allowed_addresses(host if bucket.path_style else f"{bucket.bucket}.{host}", parts.port or 443, resolve, inside=False)
        except Inside:
            raise BucketInside from None
        except (OSError, ValueError) as error:
            raise BucketUnresolved from error

    return check
