"""How people reach a server: its name, its address, and the link by which the first administrator comes in.

The link opens the server to everyone who has it. So it is printed on a terminal only: what else is printed ends in logs that are collected,
kept and read by others. There it goes to a file of the server's user.
"""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.infrastructure.core.files import write_private
from agent.infrastructure.core.settings import Settings
from agent.interfaces.web.access import Role
from agent.interfaces.web.certificates import origins_of
from agent.server.accounts.members import Members

NAME: Final = "admin"
LINK_FILE: Final = "first-administrator.txt"


@dataclass(frozen=True, slots=True)
class ServerAddresses:
    """`invitation` is the first administrator's link, until the password is set."""

    name: str
    address: str
    fingerprint: str
    invitation: str | None


def server_name(settings: Settings) -> str:
    """Return what people know the server by."""
    return settings.server.name or socket.gethostname()


def server_address(settings: Settings, port: int) -> str:
    """Return the server's address, as people should know it."""
    if settings.server.address:
        return settings.server.address
    [address] = origins_of([next(iter(settings.server.names), socket.gethostname()).lower()], port)
    return address


async def first_link(members: Members, display_name: str, address: str, data: Path) -> str | None:
    """Return the first administrator's link, a new one at each start until they joined; from then on None. Raises StoreError."""
    administrators = [each.member for each in await members.list() if each.member.role is Role.ADMINISTRATOR]
    if any(each.joined for each in administrators):
        with suppress(OSError):  # it opens nothing any more
            await asyncio.to_thread(forget_link, data)
        return None
    first = administrators[0] if administrators else await members.add(NAME, display_name, Role.ADMINISTRATOR)
    invitation = await members.invite(first.id)
    return f"{address}{invitation.path}"


def put_aside(link: str, data: Path) -> Path:
    """Write the link where only the server's user reads it; return the file. Raises OSError."""
    file = data / LINK_FILE
    write_private(file, f"{link}\n".encode())
    return file


def forget_link(data: Path) -> None:
    """Delete the file of a link that was used. Raises OSError."""
    (data / LINK_FILE).unlink(missing_ok=True)
