"""Tells a certificate that is not to be trusted from other failures of a connection."""

import ssl


def is_of_certificate(error: BaseException | None) -> bool:
    """Return whether it failed because of the other side's certificate: httpx wraps the error that says so."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
