"""A certificate authority as an office runs one, and the certificates that it issues."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agent.interfaces.web.tls_trust import fingerprint_of, pem_of

NAMES = ("localhost", "127.0.0.1")
LASTS = timedelta(days=30)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class Issued:
    """A server's certificate with its key, and the issuers that come along."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]

    def write(self, file: Path) -> Path:
        """Write key and chain into one file, as HAProxy wants them, at once."""
        parts = [self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), *(pem_of(each).encode() for each in self.chain)]
        fresh = file.with_suffix(".new")
        fresh.write_bytes(b"".join(parts))
        return fresh.replace(file)


class PrivateAuthority:
    """All authorities have one name, as after a change of the key alone."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self.key = key or new_key()
        self.certificate = _signed(_named("Office CA"), self.key.public_key(), _named("Office CA"), self.key, LASTS, authority=True)

    @property
    def pem(self) -> str:
        return pem_of(self.certificate)

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.certificate)

    def issue(
        self, key: ec.EllipticCurvePrivateKey | None = None, lasts: timedelta = LASTS, *, alone: bool = False, names: Sequence[str] = NAMES
    ) -> Issued:
        """Issue a certificate for a server; `alone` leaves the authority's own out of the chain."""
        key = key or new_key()
        leaf = _signed(_named("photos"), key.public_key(), self.certificate.subject, self.key, lasts, names=names)
        return Issued(key, (leaf,) if alone else (leaf, self.certificate))


def self_signed(key: ec.EllipticCurvePrivateKey | None = None) -> Issued:
    key = key or new_key()
    return Issued(key, (_signed(_named("photos"), key.public_key(), _named("photos"), key, LASTS, names=NAMES),))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signed(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    by: ec.EllipticCurvePrivateKey,
    lasts: timedelta,
    *,
    authority: bool = False,
    names: Sequence[str] = (),
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=60)).not_valid_after(now + lasts)
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    if names:
        alternatives = [x509.IPAddress(ip_address(each)) if each[0].isdigit() else x509.DNSName(each) for each in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(by, hashes.SHA256())
