"""Which certificate is trusted at an address: one that the system trusts, or one by a pinned key, see `docs/decisions/0106`.

A pin is kept as the certificate that was seen with the key, because TLS needs its name to verify by; what counts is the key (the SHA-256 of
its SubjectPublicKeyInfo). Another certificate with that key takes its place, so a renewal ends nobody's trust.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MOST_CERTIFICATES: Final = 8
"""that are taken of a server: old and new ones of a change, and to spare"""
_SYSTEM: Final = "system\n"
_CONNECT_S: Final = 10.0
# X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: trusted, but not for this address
OTHER_ADDRESS: Final = (62, 64)
# X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
OUT_OF_DATE: Final = (9, 10)


@dataclass(frozen=True, slots=True)
class Trust:
    """`certificates`: in PEM, those of the pinned keys. `system`: what the system trusts for the address's name is accepted, too."""

    certificates: tuple[str, ...] = ()
    system: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` wrote, or a single certificate as earlier versions kept it. Raises ValueError."""
        system = trusts_system(text)
        pems = text.removeprefix(_SYSTEM).encode()
        found = x509.load_pem_x509_certificates(pems) if pems.strip() else []
        if not found and not system:
            raise ValueError("nothing is trusted")
        return cls(tuple(map(pem_of, found)), system)

    def text(self) -> str:
        """Return it as one text, which an earlier version also reads if it pins a key: PEM allows lines around it."""
        return (_SYSTEM if self.system else "") + "".join(self.certificates)

    @property
    def keys(self) -> frozenset[str]:
        """Return the pins."""
        return frozenset(key_of(each) for pem in self.certificates for each in x509.load_pem_x509_certificates(pem.encode()))

    def context(self) -> ssl.SSLContext:
        """Return what verifies a server by it. Raises ValueError."""
        context = ssl.create_default_context() if self.system else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what is pinned need not be an authority
        try:
            for each in self.certificates:
                context.load_verify_locations(cadata=each)
        except ssl.SSLError as error:
            raise ValueError("no certificate") from error
        return context


@dataclass(frozen=True, slots=True)
class ServerTrust:
    """What a server tells of its certificates: `authority`, as PEM, is the one to pin, with its fingerprint; `trusted` are those whose keys
    desktops that joined are to pin from now on.
    """

    fingerprint: str
    authority: str
    trusted: tuple[str, ...] = ()


SYSTEM: Final = Trust(system=True)


def trusts_system(text: str) -> bool:
    """Return whether the text of a trust accepts what the system trusts."""
    return text.startswith(_SYSTEM)


def key_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of its key, the pin."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def fingerprint_of(certificate: x509.Certificate | str) -> str:
    """Return the SHA-256 of a certificate, as browsers write it. Raises ValueError."""
    read = x509.load_pem_x509_certificate(certificate.encode()) if isinstance(certificate, str) else certificate
    return read.fingerprint(hashes.SHA256()).hex(":").upper()


def certificates_in(pems: Iterable[str]) -> tuple[str, ...]:
    """Return each certificate in these texts once, without what is none."""
    found: dict[str, None] = {}
    for each in pems:
        with suppress(ValueError):
            found.update(dict.fromkeys(map(pem_of, x509.load_pem_x509_certificates(each.encode()))))
    return tuple(found)[:MOST_CERTIFICATES]


def pinned_of(chain: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return which certificate of a chain to pin: the last issuer that came along, or the server's own if none did."""
    top, others = chain[0], list(chain[1:])
    while (issuer := next((each for each in others if _issued(each, top)), None)) is not None:
        others.remove(issuer)
        top = issuer
    return top


def leads_to(chain: Sequence[x509.Certificate], pinned: x509.Certificate) -> bool:
    """Return whether a chain ends with a pinned certificate or its key, or was issued by it."""
    return with_key(chain, frozenset({key_of(pinned)})) is not None or _issued(pinned, pinned_of(chain))


def with_key(chain: Sequence[x509.Certificate], keys: frozenset[str]) -> x509.Certificate | None:
    """Return the certificate of a chain that has a pinned key."""
    return next((each for each in chain if key_of(each) in keys), None)


async def shown(address: str, trust: Trust | None = None) -> tuple[x509.Certificate, ...]:
    """Return the certificates that are shown at an https:// address; nothing else is said there.

    With `trust`, they were verified, and end with the one that is trusted. Raises OSError, ssl.SSLCertVerificationError, ValueError.
    """
    context = _unverified() if trust is None else await asyncio.to_thread(trust.context)
    parts = urlsplit(address)
    async with asyncio.timeout(_CONNECT_S):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=context, server_hostname=parts.hostname)
    try:
        return _chain(writer.get_extra_info("ssl_object"), verified=trust is not None)
    finally:
        writer.transport.abort()  # there is nothing to end


async def accepted(address: str, trust: Trust) -> tuple[x509.Certificate, ...]:
    """Return the verified chain of an address, also if a pinned key is in another certificate now; empty if it is not trusted.

    Raises OSError, and ssl.SSLCertVerificationError if the certificate is trusted but not for that name, or out of date.
    """
    try:
        return await shown(address, trust)
    except ssl.SSLCertVerificationError as error:
        again = await renewed(address, trust)
        if again is None:
            if error.verify_code in (*OTHER_ADDRESS, *OUT_OF_DATE):
                raise
            return ()
        return await shown(address, again)


async def renewed(address: str, trust: Trust) -> Trust | None:
    """Return the trust with another certificate of a pinned key, if that is shown now. Raises OSError."""
    with suppress(ssl.SSLCertVerificationError):
        keys = trust.keys
        found = with_key(await shown(address), keys) if keys else None
        if found is not None and (pem := pem_of(found)) not in trust.certificates:
            return Trust((*trust.certificates, pem), trust.system)
    return None


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if issuer == certificate:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _chain(tls: Any, *, verified: bool) -> tuple[x509.Certificate, ...]:
    """Python 3.13 has these methods in public; before that they are those of the object below."""
    name = "get_verified_chain" if verified else "get_unverified_chain"
    found = getattr(tls if hasattr(tls, name) else tls._sslobj, name)() or ()
    return tuple(
        x509.load_der_x509_certificate(each if isinstance(each, bytes) else ssl.PEM_cert_to_DER_cert(each.public_bytes())) for each in found
    )


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
