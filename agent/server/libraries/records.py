"""What is known of a server's libraries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.interfaces.web.access import Role

REST = ""
"""the source that stands for every watched folder without a library, while there is only one"""


@dataclass(frozen=True, slots=True)
class Library:
    """`for_all`: every member sees it, each in their role on the server unless `roles` gives them another."""

    id: int
    name: str
    for_all: bool
    sources: tuple[str, ...] = ()
    """roots of watched folders, or `REST`"""
    roles: Mapping[str, Role] = field(default_factory=dict)
    """by member"""

    def role_of(self, member_id: str, role: Role) -> Role | None:
        """The role here of a member who has `role` on the server; None if they don't see this library."""
        return self.roles.get(member_id, role if self.for_all else None)
