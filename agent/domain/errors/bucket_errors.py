"""Failures of buckets, the object stores that a team server reads photos from. None names the address: members may see them."""

from agent.domain.errors.source_errors import SourceError


class BucketError(SourceError):
    """A bucket, or an object in it, can't be read now."""


class BucketUnresolved(BucketError):
    """No address is known for the endpoint's name."""

    code = "bucket.unresolved"


class BucketNotReached(BucketError):
    """The endpoint refuses connections, or does not answer in time."""

    code = "bucket.not_reached"


class BucketTls(BucketError):
    """The endpoint's certificate is not trusted, or it speaks no TLS."""

    code = "bucket.tls"


class BucketForbidden(BucketError):
    """The keys are valid, but may not list or read here."""

    code = "bucket.forbidden"


class BucketKeysWrong(BucketError):
    """The endpoint does not know the access key, or its secret is another one."""

    code = "bucket.keys_wrong"


class BucketNoKeys(BucketError):
    """This computer has no access key for the bucket."""

    code = "bucket.no_keys"


class BucketMissing(BucketError):
    code = "bucket.missing"


class BucketClock(BucketError):
    """This computer's clock differs too much from the endpoint's."""

    code = "bucket.clock"


class BucketRegion(BucketError):
    code = "bucket.region"


class BucketAnswer(BucketError):
    """Any other refusal or an answer that is none. Parameter `answer`: the endpoint's own code or the status."""

    code = "bucket.answer"


class BucketUnknown(BucketError):
    """A photo is in a bucket that is no source any more."""

    code = "bucket.unknown"


class BucketNamesUnreadable(BucketError):
    """Some objects have names that can't be requested: with an empty part, `.`, `..`, control characters or a slash at the start."""

    code = "bucket.names_unreadable"


class BucketTaken(SourceError):
    """There is a source with that name already. Parameter `name`."""

    code = "bucket.taken"


class BucketInvalid(SourceError):
    """Parameter `field`: what is wrong in the description of a bucket."""

    code = "bucket.invalid"


class BucketNoFile(SourceError):
    """The photo is only in a bucket, and what was asked for needs a file in a folder."""

    code = "bucket.no_file"
