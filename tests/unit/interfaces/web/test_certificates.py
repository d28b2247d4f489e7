"""The server's certificate: by an authority that lasts, with all names, renewed in time, or from files."""

import ssl
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog.testing
from cryptography import x509

from agent.domain.errors import CertificateUnusable
from agent.interfaces.web.certificates import Certificates, GivenFiles, names_of_computer, origins_of


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def made(tmp_path: Path, clock: Clock) -> Callable[..., Certificates]:
    def make(*names: str, given: GivenFiles | None = None) -> Certificates:
        made = Certificates(tmp_path / "certificates", lambda: names or ("photos.example", "192.0.2.7"), clock, given)
        made.load()
        return made

    return make


def handshake(server: ssl.SSLContext, trusted: Path, name: str, *, newest: ssl.TLSVersion | None = None) -> ssl.SSLObject:
    """Both sides talk in memory; returns the client's. Raises SSLError."""
    client = ssl.create_default_context(cafile=trusted)
    if newest is not None:
        client.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        client.maximum_version = newest
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks, answers = client.wrap_bio(there, here, server_hostname=name), server.wrap_bio(here, there, server_side=True)
    waiting = [asks, answers]
    while waiting:
        for side in tuple(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
    return asks


def served(certificates: Certificates, name: str = "photos.example") -> x509.Certificate:
    shown = handshake(certificates.context, certificates.trusted, name).getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


def test_who_trusts_the_authority_reaches_the_server_by_each_name(made: Callable[..., Certificates], tmp_path: Path) -> None:
    certificates = made("photos.example", "192.0.2.7", "2001:db8::1")
    for name in ("photos.example", "192.0.2.7", "2001:db8::1"):
        served(certificates, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        served(certificates, "elsewhere.example")
    if sys.platform != "win32":
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / "certificates").iterdir())


def test_a_new_start_keeps_authority_and_certificate(made: Callable[..., Certificates]) -> None:
    first, again = made(), made()
    assert first.fingerprint == again.fingerprint and len(first.fingerprint) == 95
    assert served(first).serial_number == served(again).serial_number


def test_old_versions_of_tls_are_refused(made: Callable[..., Certificates]) -> None:
    certificates = made()
    handshake(certificates.context, certificates.trusted, "photos.example", newest=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError), pytest.warns(DeprecationWarning):
        handshake(certificates.context, certificates.trusted, "photos.example", newest=ssl.TLSVersion.TLSv1_1)


def test_a_name_more_has_a_new_certificate_by_the_same_authority(made: Callable[..., Certificates]) -> None:
    first = made("photos.example")
    more = made("photos.example", "more.example")
    assert more.fingerprint == first.fingerprint
    served(more, "more.example")


def test_a_lost_authority_is_made_anew_with_its_certificate(made: Callable[..., Certificates], tmp_path: Path) -> None:
    first = made()
    (tmp_path / "certificates" / "authority.key").write_text("no key")
    again = made()
    assert again.fingerprint != first.fingerprint
    served(again)


def test_it_is_renewed_while_it_serves(made: Callable[..., Certificates], clock: Clock) -> None:
    clock.now -= timedelta(days=61)
    certificates = made()
    first = served(certificates)
    certificates.look()
    assert served(certificates).serial_number == first.serial_number
    clock.now += timedelta(days=61)
    certificates.look()
    renewed = served(certificates)
    assert renewed.serial_number != first.serial_number and renewed.not_valid_after_utc > clock.now + timedelta(days=80)


def test_given_files_are_read_again_when_they_change(made: Callable[..., Certificates], clock: Clock, tmp_path: Path) -> None:
    for name in ("one", "two"):
        Certificates(tmp_path / name, lambda: ("photos.example",), clock).load()
    file = tmp_path / "given.pem"
    file.write_bytes((tmp_path / "one" / "server.pem").read_bytes())
    certificates = made(given=GivenFiles(file, file))
    assert certificates.trusted == file and "photos.example" in certificates.names
    first = certificates.fingerprint
    file.write_bytes(b"half written")
    with structlog.testing.capture_logs() as logged:
        certificates.look()
        certificates.look()
    assert [(each["event"], each["code"]) for each in logged] == [("certificate.not_renewed", CertificateUnusable.code)], "once"
    assert certificates.fingerprint == first
    handshake(certificates.context, tmp_path / "one" / "authority.pem", "photos.example")
    file.write_bytes((tmp_path / "two" / "server.pem").read_bytes())
    certificates.look()
    assert certificates.fingerprint != first
    handshake(certificates.context, tmp_path / "two" / "authority.pem", "photos.example")


def test_files_that_do_not_belong_together_are_refused(made: Callable[..., Certificates], clock: Clock, tmp_path: Path) -> None:
    for name in ("one", "two"):
        Certificates(tmp_path / name, lambda: ("photos.example",), clock).load()
    missing = GivenFiles(tmp_path / "none.pem", tmp_path / "none.pem")
    mixed = GivenFiles(tmp_path / "one" / "authority.pem", tmp_path / "two" / "authority.key")
    for given, params in ((missing, {"unreadable": 1}), (mixed, {})):
        with pytest.raises(CertificateUnusable) as refused:
            made(given=given)
        assert refused.value.params == params


@pytest.mark.skipif(sys.platform == "win32", reason="rights are not modes there")
def test_a_renewed_file_is_read_once_the_right_to_read_it_was_given(
    made: Callable[..., Certificates], clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        Certificates(tmp_path / name, lambda: ("photos.example",), clock).load()
    file = tmp_path / "given.pem"
    file.write_bytes((tmp_path / "one" / "server.pem").read_bytes())
    certificates = made(given=GivenFiles(file, file))
    file.write_bytes((tmp_path / "two" / "server.pem").read_bytes())
    file.chmod(0o600)
    with monkeypatch.context() as another:  # root may read all
        another.setattr(Path, "read_bytes", lambda _: exec("raise PermissionError(13, 'denied')"))
        certificates.look()
    file.chmod(0o640)
    certificates.look()
    handshake(certificates.context, tmp_path / "two" / "authority.pem", "photos.example")


def test_an_expired_file_is_told_as_such(made: Callable[..., Certificates], clock: Clock, tmp_path: Path) -> None:
    Certificates(tmp_path / "one", lambda: ("photos.example",), clock).load()
    clock.now += timedelta(days=91)
    file = tmp_path / "one" / "server.pem"
    with pytest.raises(CertificateUnusable) as refused:
        made(given=GivenFiles(file, file))
    assert refused.value.params == {"expired": 1}


def test_a_file_that_is_not_valid_yet_is_told_as_such(made: Callable[..., Certificates], clock: Clock, tmp_path: Path) -> None:
    Certificates(tmp_path / "one", lambda: ("photos.example",), clock).load()
    clock.now -= timedelta(days=2)
    file = tmp_path / "one" / "server.pem"
    with pytest.raises(CertificateUnusable) as refused:
        made(given=GivenFiles(file, file))
    [(name, moment)] = refused.value.params.items()
    assert name == "future" and str(moment).endswith(" UTC")


def test_a_renewed_file_that_is_not_valid_yet_is_served_once_it_is(made: Callable[..., Certificates], clock: Clock, tmp_path: Path) -> None:
    today = clock.now
    for name in ("one", "two"):
        Certificates(tmp_path / name, lambda: ("photos.example",), clock).load()
        clock.now += timedelta(days=10)
    clock.now = today
    second = x509.load_pem_x509_certificates((tmp_path / "two" / "server.pem").read_bytes())[0]
    file = tmp_path / "given.pem"
    file.write_bytes((tmp_path / "one" / "server.pem").read_bytes())
    certificates = made(given=GivenFiles(file, file))
    first = certificates.fingerprint
    file.write_bytes((tmp_path / "two" / "server.pem").read_bytes())
    certificates.look()
    assert certificates.fingerprint == first
    clock.now += timedelta(days=10)
    certificates.look()
    assert certificates.fingerprint != first and certificates.validity == (second.not_valid_before_utc, second.not_valid_after_utc)


def test_the_computer_is_reached_by_loopback_and_by_further_names() -> None:
    assert {"localhost", "127.0.0.1", "::1", "photos.example"} <= names_of_computer(["Photos.Example"])


def test_browsers_leave_out_the_usual_port() -> None:
    assert origins_of(["photos.example"], 443) == {"https://photos.example"}
    assert origins_of(["::1", "photos.example"], 8443) == {"https://[::1]:8443", "https://photos.example:8443"}
