"""Joining a team's server: a code is shown here, and confirmed by a member in the browser."""

import asyncio
import platform
import socket
import ssl
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from agent.desktop.team_client.connection import TeamConnection, first_contact
from agent.desktop.team_client.records import Link
from agent.domain.errors import (
    JoinDenied,
    JoinExpired,
    TeamAddressUnnamed,
    TeamCertificateExpired,
    TeamCertificateUnknown,
    TeamServerNotFound,
    TeamUnreachable,
)
from agent.interfaces.web.desk_exchange import JoinRequest, ServerOut
from agent.interfaces.web.tls_trust import (
    OTHER_ADDRESS,
    SYSTEM,
    Trust,
    accepted,
    certificates_in,
    fingerprint_of,
    pinned_of,
    shown,
    trusts_system,
)

_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class TeamInvitation:
    """What the user is shown while a member is to confirm. The fingerprint is the one to compare with the browser's page.

    `system`: the system trusts the certificate, so there is nothing to compare.
    """

    address: str
    name: str
    fingerprint: str
    authority: str
    """the text of a `Trust`"""
    system: bool
    user_code: str
    page: str
    device_code: str
    until: datetime
    interval_s: float


async def invited(address: str, now: datetime) -> TeamInvitation:
    """Ask a server to let this computer in.

    Raises TeamServerNotFound, TeamCertificateUnknown, TeamCertificateExpired, TeamAddressUnnamed, TooManyAttempts.
    """
    try:
        said = await first_contact(address)
        trust = await _trust(address, said)
        async with TeamConnection.to(address, trust.text()) as connection:
            server = await connection.server()
            asked = await connection.ask_to_join(JoinRequest(computer=_computer(), system=_system()))
        trust = replace(trust, certificates=certificates_in((*trust.certificates, *server.trusted)))
    except TeamUnreachable as error:
        raise TeamServerNotFound from error
    fingerprint = server.fingerprint if trust.system else fingerprint_of(trust.certificates[0])
    until, interval = now + timedelta(seconds=asked.expires_in), max(1.0, asked.interval)
    page = f"{address.removesuffix(':443')}/#join/{asked.user_code}"
    return TeamInvitation(
        address, server.name, fingerprint, trust.text(), trust.system, asked.user_code, page, asked.device_code, until, interval
    )


async def _trust(address: str, server: ServerOut) -> Trust:
    """Return what to trust at an address: the system, if that is enough, or what the server says and proves.

    Raises TeamUnreachable, TeamCertificateUnknown, TeamCertificateExpired, TeamAddressUnnamed.
    """
    named = certificates_in((server.authority, *server.trusted))
    if not named:
        raise TeamUnreachable
    refused: ssl.SSLCertVerificationError | None = None
    try:
        for trust in (SYSTEM, *(Trust((each,)) for each in named)):
            try:
                if await accepted(address, trust):
                    return trust
            except ssl.SSLCertVerificationError as error:
                refused = error
        came = pinned_of(await shown(address))
    except (OSError, ValueError) as error:
        raise TeamUnreachable from error
    if refused is None:
        raise TeamCertificateUnknown(came=fingerprint_of(came), expected=fingerprint_of(named[0]))
    raise (TeamAddressUnnamed if refused.verify_code in OTHER_ADDRESS else TeamCertificateExpired) from refused


async def granted(invitation: TeamInvitation, uid: str) -> tuple[Link, str]:
    """Wait until a member has confirmed; return the server and its token. Raises JoinDenied, JoinExpired."""
    while True:
        try:
            async with TeamConnection.to(invitation.address, invitation.authority) as connection:
                answer = await connection.answer(invitation.device_code)
        except TeamUnreachable:  # for a moment: the code's own time is the limit
            answer = None
        if answer is None or answer.state == "pending":
            await asyncio.sleep(invitation.interval_s)
        elif answer.state == "granted":
            link = Link(
                uid, invitation.address, invitation.name, invitation.fingerprint, invitation.authority, answer.member, answer.may_name
            )
            return link, answer.token
        elif answer.state == "denied":
            raise JoinDenied
        else:
            raise JoinExpired


def proves_itself(link: Link, address: str) -> bool:
    """Return whether a certificate can prove that the server at another address is the one that was joined.

    What the system trusts proves a name. Under another name it could be anyone's server, which would be shown the token.
    """
    return not trusts_system(link.authority) or urlsplit(address).hostname == urlsplit(link.address).hostname


def _system() -> str:
    name = platform.system()
    return "macOS" if name == "Darwin" else name


def _computer() -> str:
    return (socket.gethostname() or platform.node() or "-")[:_LONGEST_NAME]
