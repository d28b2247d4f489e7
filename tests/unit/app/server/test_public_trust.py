"""What a server tells desktops to trust: at its own addresses, and at the public one behind a proxy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.app.server import public_trust
from agent.app.server.public_trust import PublicTrust
from agent.domain.errors import SettingsInvalid
from agent.infrastructure.core.server_settings import ServerSettings
from agent.infrastructure.core.service_context import utc_now
from agent.interfaces.web.certificates import Certificates, GivenFiles
from agent.interfaces.web.tls_trust import SYSTEM, Trust
from tests.support.private_authority import Issued, PrivateAuthority, self_signed

PUBLIC, HOST, INSIDE = "https://photos.example", "photos.example", "10.0.0.5:8443"
OFFICE, NEXT = PrivateAuthority(), PrivateAuthority()


@pytest.fixture
def own(tmp_path: Path) -> Certificates:
    made = Certificates(tmp_path / "own", lambda: ("localhost",), utc_now)
    made.load()
    return made


@pytest.fixture
def shows(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a certificate be seen at the public address; `system` trusts it."""

    def set_to(issued: Issued | None, *, system: bool = False) -> None:
        async def shown(address: str, trust: Trust | None = None) -> object:
            assert address == PUBLIC
            if issued is None or (trust == SYSTEM and not system):
                raise OSError
            return issued.chain if trust is None else (*issued.chain[:1], OFFICE.certificate)

        monkeypatch.setattr(public_trust, "shown", shown)

    return set_to


def trusting(own: Certificates, address: str = "", file: Path | None = None) -> PublicTrust:
    made = PublicTrust(own, lambda: ServerSettings(address=address, public_certificate=str(file or "")))
    made.begin()
    return made


async def test_without_a_proxy_the_server_tells_its_own_authority_at_each_name(own: Certificates) -> None:
    made = trusting(own)
    await made.look()
    for host in (HOST, INSIDE, ""):
        told = made.at(host)
        assert (told.fingerprint, told.authority, told.trusted) == (own.fingerprint, own.authority, (own.authority,))


async def test_what_is_seen_at_the_public_address_is_told_there_alone_and_never_to_those_who_joined(
    own: Certificates, shows: Callable[..., None]
) -> None:
    shows(None)
    made = trusting(own, PUBLIC)
    await made.look()
    assert made.fingerprint == own.fingerprint, "until the proxy answers"
    shows(OFFICE.issue())
    await made.look()
    for host in (HOST, f"{HOST}:443", HOST.upper()):
        told = made.at(host)
        assert (told.fingerprint, told.authority, told.trusted) == (OFFICE.fingerprint, OFFICE.pem, ())
    assert made.at(INSIDE).authority == own.authority and made.fingerprint == OFFICE.fingerprint
    shows(None)
    await made.look()
    assert made.at(HOST).authority == OFFICE.pem, "a proxy that is away for a moment"


async def test_of_a_public_certificate_the_authority_that_the_system_trusts_is_told(own: Certificates, shows: Callable[..., None]) -> None:
    shows(OFFICE.issue(alone=True), system=True)
    made = trusting(own, PUBLIC)
    await made.look()
    assert made.at(HOST).authority == OFFICE.pem


async def test_a_public_address_without_a_proxy_has_the_servers_own_certificate(tmp_path: Path, shows: Callable[..., None]) -> None:
    issued = self_signed()
    file = issued.write(tmp_path / "given.pem")
    own = Certificates(tmp_path / "own", tuple, utc_now, GivenFiles(file, file))
    own.load()
    shows(issued)
    made = trusting(own, PUBLIC)
    await made.look()
    assert made.at(HOST).trusted == made.at(INSIDE).trusted == (own.authority,)


async def test_named_certificates_are_all_told_and_the_one_in_use_is_the_one_to_compare(
    own: Certificates, shows: Callable[..., None], tmp_path: Path
) -> None:
    file = tmp_path / "public.pem"
    file.write_text(OFFICE.pem + NEXT.pem)
    shows(None)
    made = trusting(own, PUBLIC, file)
    assert made.at(HOST).authority == OFFICE.pem, "the first, until the proxy answers"
    for issued, current in ((OFFICE.issue(alone=True), OFFICE), (NEXT.issue(), NEXT)):
        shows(issued)
        await made.look()
        told = made.at(HOST)
        assert (told.fingerprint, told.authority, told.trusted) == (current.fingerprint, current.pem, (OFFICE.pem, NEXT.pem))
    file.write_text(NEXT.pem)
    await made.look()
    assert made.at(HOST).trusted == (NEXT.pem,)
    file.write_text("half written")
    await made.look()
    assert made.at(HOST).trusted == (NEXT.pem,)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_is_none_is_refused_at_the_start(own: Certificates, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "public.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsInvalid):
        trusting(own, PUBLIC, file)
