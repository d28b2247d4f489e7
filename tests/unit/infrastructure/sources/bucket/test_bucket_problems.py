"""What each refusal of an object store means. The texts are those of `obstore` 0.12 with the endpoint's answer inside."""

import pytest

from agent.domain.errors import (
    AgentError,
    BucketAnswer,
    BucketClock,
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
from agent.infrastructure.sources.bucket.bucket_problems import meaning

REFUSED = "Generic S3 error: Error performing GET http://a/b in 1ms - Server returned non-2xx status code: {}: {}"
SENT = "Generic S3 error: HTTP error: error sending request: client error (Connect): {}"


def refused(status: str, code: str = "") -> Exception:
    return Exception(REFUSED.format(status, f"<Error><Code>{code}</Code></Error>" if code else ""))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("403 Forbidden", "AccessDenied"), BucketForbidden),
        (refused("403 Forbidden", "InvalidAccessKeyId"), BucketKeysWrong),
        (refused("403 Forbidden", "SignatureDoesNotMatch"), BucketKeysWrong),
        (refused("400 Bad Request", "ExpiredToken"), BucketKeysWrong),
        (refused("403 Forbidden", "RequestTimeTooSkewed"), BucketClock),
        (refused("301 Moved Permanently", "PermanentRedirect"), BucketRegion),
        (refused("400 Bad Request", "AuthorizationHeaderMalformed"), BucketRegion),
        (refused("404 Not Found", "NoSuchBucket"), BucketMissing),
        (FileNotFoundError("Object at location a not found"), BucketMissing),
        (refused("403 Forbidden"), BucketForbidden),
        (refused("401 Unauthorized"), BucketKeysWrong),
        (refused("503 Service Unavailable", "SlowDown"), BucketAnswer),
        (Exception(SENT.format("dns error: failed to lookup address information")), BucketUnresolved),
        (Exception(SENT.format("invalid peer certificate: UnknownIssuer")), BucketTls),
        (Exception(SENT.format("received corrupt message of type InvalidContentType")), BucketTls),
        (Exception(SENT.format("tcp connect error: Connection refused (os error 111)")), BucketNotReached),
        (Exception("operation timed out"), BucketNotReached),
        (Exception("Encountered object with invalid path: Error parsing Path"), BucketNamesUnreadable),
        (Exception("Error performing PUT http://169.254.169.254/latest/api/token: status code: 403 Forbidden"), BucketNoKeys),
        (ZeroDivisionError("odd"), BucketAnswer),
    ],
)
def test_a_refusal_has_a_cause(error: Exception, kind: type[AgentError]) -> None:
    assert type(meaning(error)) is kind


def test_an_answer_that_is_not_understood_is_named_by_its_code() -> None:
    assert meaning(refused("503 Service Unavailable", "SlowDown")).params == {"answer": "SlowDown"}
    assert meaning(refused("502 Bad Gateway")).params == {"answer": "502"}


def test_an_object_that_is_gone_is_a_missing_photo_but_a_bucket_that_is_gone_is_not() -> None:
    assert type(meaning(FileNotFoundError("not found"), of_object=True)) is ImageMissing
    assert type(meaning(refused("404 Not Found", "NoSuchKey"), of_object=True)) is ImageMissing
    assert type(meaning(refused("404 Not Found", "NoSuchBucket"), of_object=True)) is BucketMissing


def test_our_own_errors_stay() -> None:
    error = BucketNotReached()
    assert meaning(error) is error


def test_nothing_of_the_endpoint_is_in_the_error() -> None:
    for error in (refused("403 Forbidden", "AccessDenied"), Exception(SENT.format("dns error for secret.example"))):
        assert meaning(error).params == {}
