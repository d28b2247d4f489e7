"""A new server's first member: an administrator, who sets the password by a link that the start prints."""

from typing import Final

from agent.accounts.members import Invitation, Members
from agent.web.access import Role

NAME: Final = "admin"


async def first_invitation(members: Members, display_name: str) -> Invitation | None:
    """Invite the first administrator, again at each start until they joined; None from then on. Raises StoreError."""
    administrators = [each.member for each in await members.list() if each.member.role is Role.ADMINISTRATOR]
    if any(each.joined for each in administrators):
        return None
    first = administrators[0] if administrators else await members.add(NAME, display_name, Role.ADMINISTRATOR)
    return await members.invite(first.id)
