"""Failures of the sources of photos: watched folders, and a server's buckets."""

from agent.domain.errors.error_tree import AgentError


class SourceError(AgentError):
    """A watched folder can't be watched."""


class SourceUnreachable(SourceError):
    code = "source.unreachable"


class SourceMissing(SourceError):
    """A folder to watch is missing or does not respond."""

    code = "source.missing"


class SourceNoAccess(SourceError):
    """The folder exists, but this program may not read it."""

    code = "source.no_access"


class SourceNoAnswer(SourceError):
    """A drive that a command needs does not respond, or only with errors."""

    code = "source.no_answer"


class SourceLimit(SourceError):
    """The system's limit of watched folders is reached; the folder is scanned at intervals instead."""

    code = "source.limit"


class BucketError(SourceError):
    """A bucket, or an object in it, can't be read now. No error names the address: members may see them."""


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


class BucketKeysAgain(BucketError):
    """This computer's access key was entered for another endpoint, region or bucket."""

    code = "bucket.keys_again"


class BucketInside(BucketError):
    """The endpoint is in the team's own network or on this computer, or speaks plain HTTP (`plain`), and neither is allowed."""

    code = "bucket.inside"


class BucketMissing(BucketError):
    code = "bucket.missing"


class BucketEmpty(BucketError):
    """A listing shows nothing at all, though the library knows photos of the bucket."""

    code = "bucket.empty"


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
