"""Libraries, their folders and the roles in them, in the database."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text, update

from agent.domain import reference_path
from agent.domain.errors import LibraryNameTaken, NotFound
from agent.infrastructure.store import audit_log, reference_facts
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import library, library_access, library_source, member, place
from agent.interfaces.web.access import Role
from agent.server.libraries.records import REST, Library

# As the trigger of `row_security` does for each file that is noted, for all that are there. A photo on a desktop and a reference without
# a photo have no folder: they stay in the library that they were added to.
_SORT_IN = text(
    "UPDATE place SET library_id = meant.library_id FROM (SELECT place.id, CASE WHEN own.root IS NOT NULL THEN own.library_id"
    " ELSE rest.library_id END AS library_id FROM place LEFT JOIN library_source AS own ON own.root = place.folder"
    " LEFT JOIN library_source AS rest ON rest.root = :rest) AS meant"
    " WHERE meant.id = place.id AND place.source <> 'desk' AND NOT (place.source = 'reference' AND place.library_id IS NOT NULL)"
    " AND place.library_id IS DISTINCT FROM meant.library_id"
)


class LibrariesQueries(Queries):
    def libraries(self) -> tuple[Library, ...]:
        """All, by name."""
        with self.database.read() as tx:
            sources, roles = dict[int, list[str]](), dict[int, dict[str, Role]]()
            of_some = select(library_source).where(library_source.c.library_id.is_not(None)).order_by(library_source.c.root)
            for row in tx.execute(of_some):
                sources.setdefault(row.library_id, []).append(row.root)
            for row in tx.execute(select(library_access)):
                roles.setdefault(row.library_id, {})[row.member_id] = Role(row.role)
            return tuple(
                Library(row.id, row.name, bool(row.for_all), tuple(sources.get(row.id, ())), roles.get(row.id, {}))
                for row in tx.execute(select(library).order_by(library.c.name))
            )

    def photo_counts(self) -> dict[int, int]:
        """The number of photos within reach, by library."""
        counted = select(place.c.library_id, func.count(place.c.image_id.distinct())).where(place.c.missing_since.is_(None))
        counted = counted.where(place.c.source != reference_path.SOURCE)  # those are no photos of the library
        with self.database.read() as tx:
            return {each: count for each, count in tx.execute(counted.group_by(place.c.library_id)) if each is not None}

    def begin(self, name: str, now: datetime) -> None:
        """Make the first library, of all folders and for all members, unless there has been one."""
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(library.c.id).limit(1)) is None and tx.scalar(select(library_source.c.root).limit(1)) is None:
                first = add(tx, library, {"name": name, "for_all": 1, "created_at": now})
                tx.execute(insert(library_source).values(root=REST, library_id=first))
                sort_in(tx)  # later a trigger does: reading all files would take each start of a large server seconds

    def add(
        self, name: str, *, for_all: bool, sources: Iterable[str], roles: Mapping[str, Role], watched: Iterable[str], now: datetime
    ) -> int:
        """Make a library. The first one then names its folders, so that a folder added later is in no library until it is put into one.

        Raises LibraryNameTaken, NotFound for the role of an unknown member.
        """
        with self.database.write(durable=True) as tx:
            _check_name(tx, name)
            _name_the_rest(tx, watched)
            made = add(tx, library, {"name": name, "for_all": int(for_all), "created_at": now})
            audit_log.add(tx, "library_added", None, 1, now, detail=str(made), libraries=[made])
            for root in sources:
                put_source(tx, root, made, now)
            for member_id, role in roles.items():
                _grant(tx, made, member_id, role, now)
            sort_in(tx)
            return made

    def change(self, library_id: int, values: Mapping[str, Any], now: datetime) -> None:
        """Raises LibraryNameTaken, NotFound."""
        with self.database.write(durable=True) as tx:
            _required(tx, library_id)
            if "name" in values:
                _check_name(tx, values["name"], but=library_id)
            if values:
                tx.execute(update(library).where(library.c.id == library_id).values(**values))
                what = f"{library_id} {' '.join(sorted(values))}"
                audit_log.add(tx, "library_changed", None, 1, now, detail=what, libraries=[library_id])

    def remove(self, library_id: int, now: datetime) -> None:
        """Remove a library, not its photos: until its folders are in another one, only administrators see them. Raises NotFound.

        Nor its reference photos, which only administrators see from then on; but what was done with them can't be undone any more.
        """
        with self.database.write(durable=True) as tx:
            _required(tx, library_id)
            tx.execute(delete(library).where(library.c.id == library_id))
            reference_facts.leave_library(tx, library_id)
            audit_log.add(tx, "library_removed", None, 1, now, detail=str(library_id), libraries=[library_id])
            sort_in(tx)

    def put_source(self, library_id: int, root: str, now: datetime) -> None:
        """Put a watched folder into a library, out of any other. Raises NotFound."""
        with self.database.write(durable=True) as tx:
            _required(tx, library_id)
            put_source(tx, root, library_id, now)
            sort_in(tx)

    def drop_source(self, library_id: int, root: str, now: datetime) -> None:
        """Take a folder out: only administrators see it then. Raises NotFound."""
        with self.database.write(durable=True) as tx:
            its = (library_source.c.library_id == library_id, library_source.c.root == root)
            if not tx.execute(update(library_source).where(*its).values(library_id=None)).rowcount:
                raise NotFound
            audit_log.add(tx, "library_folder_dropped", None, 1, now, detail=str(library_id), libraries=[library_id])
            sort_in(tx)

    def grant(self, library_id: int, member_id: str, role: Role, now: datetime) -> None:
        """Raises NotFound."""
        with self.database.write(durable=True) as tx:
            _required(tx, library_id)
            _grant(tx, library_id, member_id, role, now)

    def revoke(self, library_id: int, member_id: str, now: datetime) -> None:
        """Raises NotFound."""
        with self.database.write(durable=True) as tx:
            its = (library_access.c.library_id == library_id, library_access.c.member_id == member_id)
            if not tx.execute(delete(library_access).where(*its)).rowcount:
                raise NotFound
            audit_log.add(tx, "access_revoked", member_id, 1, now, detail=str(library_id), libraries=[library_id])


def sort_in(tx: Connection) -> None:
    """Put each file into the library that it belongs to now."""
    tx.execute(_SORT_IN, {"rest": b""})


def _required(tx: Connection, library_id: int) -> None:
    if tx.scalar(select(library.c.id).where(library.c.id == library_id)) is None:
        raise NotFound


def _check_name(tx: Connection, name: str, *, but: int | None = None) -> None:
    folded = name.casefold()
    if any(row.name.casefold() == folded and row.id != but for row in tx.execute(select(library.c.id, library.c.name))):
        raise LibraryNameTaken


def _name_the_rest(tx: Connection, watched: Iterable[str]) -> None:
    """Write down the folders that have been in the library of the rest, and end it."""
    owner = tx.scalar(select(library_source.c.library_id).where(library_source.c.root == REST))
    tx.execute(delete(library_source).where(library_source.c.root == REST))
    named = set(tx.scalars(select(library_source.c.root)))
    seen = set(tx.scalars(select(place.c.folder).where(place.c.folder.is_not(None)).distinct()))
    if owner is not None and (rest := sorted((seen | set(watched)) - named)):
        tx.execute(insert(library_source), [{"root": each, "library_id": owner} for each in rest])


def put_source(tx: Connection, root: str, library_id: int, now: datetime) -> None:
    """Put a folder or a bucket into a library, out of any other. `sort_in` has its files follow."""
    tx.execute(delete(library_source).where(library_source.c.root == root))
    tx.execute(insert(library_source).values(root=root, library_id=library_id))
    audit_log.add(tx, "library_folder_added", None, 1, now, detail=str(library_id), libraries=[library_id])


def _grant(tx: Connection, library_id: int, member_id: str, role: Role, now: datetime) -> None:
    if tx.scalar(select(member.c.id).where(member.c.id == member_id)) is None:
        raise NotFound
    tx.execute(delete(library_access).where(library_access.c.library_id == library_id, library_access.c.member_id == member_id))
    tx.execute(insert(library_access).values(library_id=library_id, member_id=member_id, role=role.value))
    audit_log.add(tx, "access_granted", member_id, 1, now, detail=f"{library_id} {role.value}", libraries=[library_id])
