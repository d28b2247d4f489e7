"""A new server's first member: an administrator, who sets the password by a link.

The link opens the server to everyone who has it. So it is printed on a terminal only: what else is printed ends in logs that are collected,
kept and read by others. There it goes to a file of the server's user.
"""

from pathlib import Path
from typing import Final

from agent.accounts.members import Invitation, Members
from agent.core.files import write_private
from agent.web.access import Role

NAME: Final = "admin"
LINK_FILE: Final = "first-administrator.txt"


async def first_invitation(members: Members, display_name: str) -> Invitation | None:
    """Invite the first administrator, again at each start until they joined; None from then on. Raises StoreError."""
    administrators = [each.member for each in await members.list() if each.member.role is Role.ADMINISTRATOR]
    if any(each.joined for each in administrators):
        return None
    first = administrators[0] if administrators else await members.add(NAME, display_name, Role.ADMINISTRATOR)
    return await members.invite(first.id)


def put_aside(link: str, data: Path) -> Path:
    """Write the link where only the server's user reads it; return the file. Raises OSError."""
    file = data / LINK_FILE
    write_private(file, f"{link}\n".encode())
    return file


def forget_link(data: Path) -> None:
    """Delete the file of a link that was used. Raises OSError."""
    (data / LINK_FILE).unlink(missing_ok=True)
