"""The team server's certificate: issued by an authority of its own and renewed in time, or read from files and again when they change.

The authority is made at first start and lasts; its fingerprint is what people compare and agents pin. The server's certificate names the
computer, its addresses and the names of the settings. A new one serves connections from then on; open ones stay.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from filelock import FileLock

from agent.domain.errors import CertificateUnusable, StoreError
from agent.infrastructure.core.files import error_code, store_error, write_private
from agent.infrastructure.core.paths import make_private
from agent.interfaces.web.tls_trust import fingerprint_of, pem_of, pinned_of

log = structlog.get_logger()

CERTIFICATES_FOLDER = "certificates"
AUTHORITY_FILE, AUTHORITY_KEY_FILE, SERVER_FILE, LOCK_FILE = "authority.pem", "authority.key", "server.pem", "certificates.lock"
_AUTHORITY_LASTS, _LASTS, _RENEWED_BEFORE = timedelta(days=3650), timedelta(days=90), timedelta(days=30)
_LOOK_S, _TURN_S = 10.0, 60.0
# Clocks differ: a new certificate must not be of the future.
_EARLIER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GivenFiles:
    """Made elsewhere: the certificate with its issuers, and its key."""

    certificate: Path
    private_key: Path


class Certificates:
    """Own files are in `folder`. Servers that share it have one authority, and each its own certificate in `file`.

    `names` returns names and addresses by which the server is reached. All methods but `run` block.
    """

    def __init__(
        self,
        folder: Path,
        names: Callable[[], Collection[str]],
        clock: Callable[[], datetime],
        given: GivenFiles | None = None,
        file: str = SERVER_FILE,
    ) -> None:
        self._folder = folder
        self._names = names
        self._clock = clock
        self._given = given
        self._file = file
        self._seen: Sequence[object] = ()
        self._refused = ""
        """the code for which it was not renewed, said once"""
        self._validity = (clock(), clock())
        self.context = _context()
        self.fingerprint = ""
        self.authority = ""
        """the certificate whose key desktops pin, as PEM: our authority, or the last issuer in the given file"""
        self.names: frozenset[str] = frozenset()
        """the names and addresses by which the server is reached, with those of the certificate"""

    @property
    def trusted(self) -> Path:
        """Return the file that clients of this computer trust."""
        return self._given.certificate if self._given else self._folder / AUTHORITY_FILE

    @property
    def validity(self) -> tuple[datetime, datetime]:
        """Return from when until when the certificate that is served is valid."""
        return self._validity

    def load(self) -> None:
        """Take or make the certificate. Raises CertificateUnusable, StoreUnwritable, StoreDiskFull."""
        if self._given is not None:
            seen, self._seen = self._signature(), ()  # one that is refused is looked at again: it may become valid with time
            self._take(self._given.certificate, self._given.private_key)
            self._seen = seen
            chain = x509.load_pem_x509_certificates(self._given.certificate.read_bytes())
            self._pin(pinned_of(chain))
            self.names = frozenset(self._names()) | _named(chain[0])
            return
        try:
            make_private(self._folder)
            with FileLock(self._folder / LOCK_FILE, timeout=_TURN_S, mode=0o600):  # another server may share the folder
                authority = self._authority()
                if not self._serves(authority[0]):
                    self._issue(*authority)
        except OSError as error:  # also Timeout
            raise store_error(error) from error
        self._take(self._folder / self._file, None)
        self._pin(authority[0])
        self.names = frozenset(self._names())

    def _pin(self, certificate: x509.Certificate) -> None:
        self.fingerprint, self.authority = fingerprint_of(certificate), pem_of(certificate)

    async def run(self) -> None:
        """Until cancelled, read files that changed, renew our own in time, and when the computer gets another name or address."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Read or renew it if that is due. If it fails, the one in use goes on: a file may be half written for a moment."""
        try:
            if self._stale():
                self.load()
                self._refused = ""
                log.info("certificate.renewed")
        except (CertificateUnusable, StoreError, OSError) as error:
            self._refuse(error_code(error))
        except ValueError:  # the authority's file is damaged
            self._refuse(CertificateUnusable.code)

    def _refuse(self, code: str) -> None:
        if code != self._refused:  # it is tried again every few seconds
            log.warning("certificate.not_renewed", code=code)
        self._refused = code

    def _stale(self) -> bool:
        if self._given is not None:
            return self._seen != self._signature()
        return not self._serves(_certificate(self._folder / AUTHORITY_FILE))

    def _signature(self) -> Sequence[object]:
        assert self._given is not None
        seen: list[object] = []
        for path in (self._given.certificate, self._given.private_key):
            with suppress(OSError):
                facts = path.stat()
                # The last is of a file that may be read from now on, too: who renews it may write first, and give the right to read then.
                seen.append((facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns))
        return seen

    def _take(self, certificate: Path, key: Path | None) -> None:
        """Serve it from now on. Tried before, so that a mistake leaves the one in use. Raises CertificateUnusable."""
        self._validity = check_files(certificate, key, self._clock(), self.context)

    # -- our own -----------------------------------------------------------------------------------------------------------------
    def _authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Return the authority, made at first use: the key first, so that no certificate stays without its key."""
        key_file, file = self._folder / AUTHORITY_KEY_FILE, self._folder / AUTHORITY_FILE
        with suppress(FileNotFoundError, ValueError):
            key = load_pem_private_key(key_file.read_bytes(), None)
            certificate = _certificate(file)
            if isinstance(key, ec.EllipticCurvePrivateKey) and certificate.public_key() == key.public_key():
                return certificate, key
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"AI Popup on {socket.gethostname()}"[:64])])
        usage = {each: False for each in ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")}
        usage |= {"key_agreement": False, "key_cert_sign": True, "crl_sign": True, "encipher_only": False, "decipher_only": False}
        certificate = (
            self._builder(name, name, key.public_key(), _AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(file, certificate.public_bytes(Encoding.PEM))
        return certificate, key

    def _issue(self, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        names = sorted(self._names())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, next(iter(names), "AI Popup")[:64])])
        certificate = (
            self._builder(subject, authority.subject, key.public_key(), _LASTS)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        parts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
        parts += [each.public_bytes(Encoding.PEM) for each in (certificate, authority)]
        write_private(self._folder / self._file, b"".join(parts))

    def _builder(self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta) -> x509.CertificateBuilder:
        now = self._clock()
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        return builder.serial_number(x509.random_serial_number()).not_valid_before(now - _EARLIER).not_valid_after(now + lasts)

    def _serves(self, authority: x509.Certificate) -> bool:
        """Return whether the server's certificate is by this authority, has all names, and lasts for a while."""
        try:
            certificate = _certificate(self._folder / self._file)
            certificate.verify_directly_issued_by(authority)
            named = _named(certificate)
        except Exception:  # missing, damaged, or by an earlier authority: there are many reasons, and one answer
            return False
        return certificate.not_valid_after_utc - self._clock() > _RENEWED_BEFORE and set(self._names()) <= named


def check_files(certificate: Path, key: Path | None, now: datetime, *contexts: ssl.SSLContext) -> tuple[datetime, datetime]:
    """Load a certificate and its key into the contexts, which stay as they are if it can't be served; returns its validity.

    Raises CertificateUnusable.
    """
    try:
        taken = _certificate(certificate)
        if taken.not_valid_after_utc <= now:
            raise CertificateUnusable(expired=1)
        if taken.not_valid_before_utc > now:
            raise CertificateUnusable(future=f"{taken.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")
        for context in (_context(), *contexts):
            context.load_cert_chain(certificate, key, password="")  # no question on the terminal
    except (ssl.SSLError, ValueError) as error:
        raise CertificateUnusable from error
    except OSError as error:
        raise CertificateUnusable(unreadable=1) from error
    return taken.not_valid_before_utc, taken.not_valid_after_utc


def names_of_computer(further: Collection[str] = ()) -> frozenset[str]:
    """Return the names and addresses by which this computer can be reached, with `further` ones, in lower case."""
    host = socket.gethostname()
    addresses = {
        each.address.partition("%")[0]
        for interface in psutil.net_if_addrs().values()
        for each in interface
        if each.family in (socket.AF_INET, socket.AF_INET6)
    }
    names = {"localhost", "127.0.0.1", "::1", host, f"{host}.local", *further}
    return frozenset(name.lower() for name in {*names, *addresses} if _nameable(name))


def origins_of(names: Collection[str], port: int) -> frozenset[str]:
    """Return how browsers write the addresses of these names: without the port if it is the usual one."""
    hosts = {f"[{name}]" if ":" in name else name for name in names}
    return frozenset(f"https://{host}{'' if port == 443 else f':{port}'}" for host in hosts)


def _nameable(name: str) -> bool:
    with suppress(ValueError):
        return not ipaddress.ip_address(name).is_link_local
    return name.isascii() and " " not in name


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _named(certificate: x509.Certificate) -> frozenset[str]:
    """Return the names and addresses in it."""
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(each.value).lower() for each in named if isinstance(each, (x509.DNSName, x509.IPAddress)))


def _certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of a file. Raises OSError, ValueError."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0]


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context
