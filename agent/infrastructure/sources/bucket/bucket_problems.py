"""What an object store's refusal means. `obstore` reports it as text with the endpoint's answer inside."""

import re
from typing import Final

from agent.domain.errors import (
    AgentError,
    BucketAnswer,
    BucketClock,
    BucketError,
    BucketForbidden,
    BucketKeysWrong,
    BucketMissing,
    BucketNamesUnreadable,
    BucketNoKeys,
    BucketNotReached,
    BucketRegion,
    BucketTls,
    BucketUnresolved,
    ImageMissing,
)

_CODE: Final = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>")
_STATUS: Final = re.compile(r"status code: (\d{3})")
# Where a cloud's machines and containers ask for their role.
_ROLE_ADDRESSES: Final = ("169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::")
# The endpoint's own codes.
_CODES: Final[dict[str, type[BucketError]]] = {
    "NoSuchBucket": BucketMissing,
    "AccessDenied": BucketForbidden,
    "AllAccessDisabled": BucketForbidden,
    "AccountProblem": BucketForbidden,
    "InvalidAccessKeyId": BucketKeysWrong,
    "SignatureDoesNotMatch": BucketKeysWrong,
    "ExpiredToken": BucketKeysWrong,
    "InvalidToken": BucketKeysWrong,
    "InvalidClientTokenId": BucketKeysWrong,
    "AuthorizationHeaderMalformed": BucketRegion,
    "PermanentRedirect": BucketRegion,
    "IllegalLocationConstraintException": BucketRegion,
    "RequestTimeTooSkewed": BucketClock,
    "RequestExpired": BucketClock,
}
# Of a status without such a code: HEAD requests have none.
_STATUSES: Final[dict[str, type[BucketError]]] = {"301": BucketRegion, "307": BucketRegion, "401": BucketKeysWrong, "403": BucketForbidden}
# What the transport says, in lower case; the first that is found counts.
_SAYINGS: Final[tuple[tuple[str, type[BucketError]], ...]] = (
    ("invalid path", BucketNamesUnreadable),
    ("error parsing path", BucketNamesUnreadable),
    ("empty path segment", BucketNamesUnreadable),
    ("dns error", BucketUnresolved),
    ("failed to lookup address", BucketUnresolved),
    ("certificate", BucketTls),
    ("invalidcontenttype", BucketTls),  # the answer was not TLS
    ("tls", BucketTls),
    ("error sending request", BucketNotReached),
    ("error decoding response body", BucketNotReached),
    ("connection", BucketNotReached),
    ("timed out", BucketNotReached),
    ("timeout", BucketNotReached),
)


def meaning(error: Exception, *, of_object: bool = False) -> AgentError:
    """Return the error for what `obstore` raised: while an object was read (`of_object`), or a listing."""
    if isinstance(error, AgentError):
        return error
    said = str(error)
    if any(address in said for address in _ROLE_ADDRESSES):
        return BucketNoKeys()
    if (found := _CODE.search(said)) is not None:
        if found[1] in _CODES:
            return _CODES[found[1]]()
        if found[1] == "NoSuchKey" and of_object:
            return ImageMissing()
    if isinstance(error, FileNotFoundError):
        return ImageMissing() if of_object else BucketMissing()
    status = _STATUS.search(said)
    if status is not None:
        kind = _STATUSES.get(status[1])
        return kind() if kind is not None else BucketAnswer(answer=found[1] if found else status[1])
    lower = said.lower()
    for saying, kind in _SAYINGS:
        if saying in lower:
            return kind()
    return BucketAnswer(answer=found[1] if found else type(error).__name__)
