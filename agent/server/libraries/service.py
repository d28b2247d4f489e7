"""The libraries of a team server: kept in memory, because every request of a member asks what they may see."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from agent.domain.errors import BadRequest
from agent.infrastructure.core.access_scope import Root, everything
from agent.interfaces.web.access import OF_BOTH, OF_THE_SERVER, SCOPES, Grant, Principal, Role, Scope, scopes_of
from agent.server.libraries.library_choice import roots_of, tidy_name
from agent.server.libraries.queries import LibrariesQueries
from agent.server.libraries.records import REST, Library

T = TypeVar("T")

ROLES = (Role.CURATOR, Role.EDITOR, Role.VIEWER, Role.AUDITOR)
"""what a member can be in a library: administrators are of the server"""


class Libraries:
    """`watched` returns the roots of the watched folders; `changed` ends what goes on with the rights that members had before; `named`
    returns names to use in place of a folder's own, see `roots_of`.
    """

    def __init__(
        self,
        queries: LibrariesQueries,
        watched: Callable[[], Iterable[str]],
        changed: Callable[[], None],
        clock: Callable[[], datetime],
        named: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        self._named = named
        self._queries = queries
        self._watched = watched
        self._changed = changed
        self._clock = clock
        self._all: tuple[Library, ...] = ()

    def begin(self, name: str) -> None:
        """Read them; make the first one if there has been none. Blocks."""
        self._queries.begin(tidy_name(name), self._clock())
        self._all = self._queries.libraries()

    @property
    def all(self) -> tuple[Library, ...]:
        """By name."""
        return self._all

    async def photo_counts(self) -> Mapping[int, int]:
        """By library, of those within reach."""
        return await asyncio.to_thread(self._queries.photo_counts)

    def placed(self, who: Principal, chosen: str | None = None) -> Principal:
        """The member with what they may do in each library, or in the `chosen` one alone. Administrators may do everything everywhere."""
        if who.role is None or (who.role is Role.ADMINISTRATOR and chosen is None):
            return who
        grants, roots, everywhere = list[Grant](), list[Root](), who.scopes & OF_THE_SERVER
        for each in self._all:
            if chosen is not None and chosen != str(each.id):
                continue
            if (role := self.role_in(each, who)) is not None:
                scopes = SCOPES[role] if who.chosen is None else scopes_of(role, who.chosen)
                scopes = scopes - OF_THE_SERVER | (scopes | everywhere) & OF_BOTH
                grants.append(Grant(each.id, scopes))
                roots += self.roots(each) if Scope.PHOTOS_READ in scopes else ()
        return replace(
            who,
            scopes=everywhere.union(*(each.scopes for each in grants)),
            grants=tuple(grants),
            roots=tuple(roots),
            audits_all=chosen is None and Scope.RECORD_READ in everywhere,
        )

    def role_in(self, library: Library, who: Principal) -> Role | None:
        """Which role they have there; None if they don't see it."""
        if who.role is None or who.role is Role.ADMINISTRATOR:
            return Role.ADMINISTRATOR
        role = library.role_of(who.id, who.role)
        return Role.AUDITOR if role is None and who.role is Role.AUDITOR else role

    def roots(self, library: Library) -> tuple[Root, ...]:
        named = {source for each in self._all for source in each.sources if source != REST}
        return roots_of(library, self._watched(), named, self._named)

    async def add(self, name: str, *, for_all: bool, sources: Iterable[str], roles: Mapping[str, Role]) -> Library:
        """Raises LibraryNameInvalid, LibraryNameTaken, NotFound, BadRequest for a role that none has in a library."""
        for role in roles.values():
            _check(role)
        watched, name = tuple(self._watched()), tidy_name(name)
        made = await self._do(lambda now: self._queries.add(name, for_all=for_all, sources=sources, roles=roles, watched=watched, now=now))
        return next(each for each in self._all if each.id == made)

    async def change(self, library_id: int, *, name: str | None = None, for_all: bool | None = None) -> None:
        """Raises LibraryNameInvalid, LibraryNameTaken, NotFound."""
        values: dict[str, object] = {}
        if name is not None:
            values["name"] = tidy_name(name)
        if for_all is not None:
            values["for_all"] = int(for_all)
        await self._do(lambda now: self._queries.change(library_id, values, now))

    async def remove(self, library_id: int) -> None:
        """Raises NotFound."""
        await self._do(lambda now: self._queries.remove(library_id, now))

    async def put_source(self, library_id: int, root: str) -> None:
        """Raises NotFound."""
        await self._do(lambda now: self._queries.put_source(library_id, root, now))

    async def drop_source(self, library_id: int, root: str) -> None:
        """Raises NotFound."""
        await self._do(lambda now: self._queries.drop_source(library_id, root, now))

    async def grant(self, library_id: int, member_id: str, role: Role) -> None:
        """Give a member a role there, in place of any other. Raises NotFound, BadRequest."""
        _check(role)
        await self._do(lambda now: self._queries.grant(library_id, member_id, role, now))

    async def revoke(self, library_id: int, member_id: str) -> None:
        """Raises NotFound."""
        await self._do(lambda now: self._queries.revoke(library_id, member_id, now))

    async def read_again(self) -> None:
        """Their folders were changed by another service."""
        with everything():
            self._all = await asyncio.to_thread(self._queries.libraries)
        self._changed()

    def is_watched(self, root: str) -> bool:
        return root in tuple(self._watched())

    async def _do(self, change: Callable[[datetime], T]) -> T:
        with everything():
            done = await asyncio.to_thread(change, self._clock())
            self._all = await asyncio.to_thread(self._queries.libraries)
        self._changed()
        return done


def _check(role: Role) -> None:
    if role not in ROLES:
        raise BadRequest(reason="role")
