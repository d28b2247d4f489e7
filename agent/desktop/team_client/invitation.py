"""Joining a team's server: a code is shown here, and confirmed by a member in the browser."""

import asyncio
import platform
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from agent.desktop.team_client.connection import TeamConnection, fingerprint_of, first_contact
from agent.desktop.team_client.records import Link
from agent.domain.errors import JoinDenied, JoinExpired, TeamServerNotFound, TeamUnreachable
from agent.interfaces.web.desk_exchange import JoinRequest, JoinRequested

_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class TeamInvitation:
    """What the user is shown while a member is to confirm. The fingerprint is the one to compare with the browser's page."""

    address: str
    name: str
    fingerprint: str
    authority: str
    user_code: str
    page: str
    device_code: str
    until: datetime
    interval_s: float


async def invited(address: str, now: datetime) -> TeamInvitation:
    """Ask a server to let this computer in. Raises TeamServerNotFound, TeamCertificateChanged, TooManyAttempts."""
    try:
        server = await first_contact(address)
        if not server.authority:
            raise TeamServerNotFound
        async with TeamConnection.to(address, server.authority) as connection:
            asked = await connection.ask_to_join(JoinRequest(computer=_computer(), system=_system()))
    except TeamUnreachable as error:
        raise TeamServerNotFound from error
    page = f"{address.removesuffix(':443')}/#join/{asked.user_code}"
    return _invitation(address, server.name, server.authority, page, asked, now)


def _invitation(address: str, name: str, authority: str, page: str, asked: JoinRequested, now: datetime) -> TeamInvitation:
    until = now + timedelta(seconds=asked.expires_in)
    fingerprint, interval = fingerprint_of(authority), max(1.0, asked.interval)
    return TeamInvitation(address, name, fingerprint, authority, asked.user_code, page, asked.device_code, until, interval)


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


def _system() -> str:
    name = platform.system()
    return "macOS" if name == "Darwin" else name


def _computer() -> str:
    return (socket.gethostname() or platform.node() or "-")[:_LONGEST_NAME]
