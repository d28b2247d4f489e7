"""Members as rows of the database, with what they can sign in by."""

from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, insert, select

from agent.domain.errors import LastAdministrator, LastWayIn, MemberNameTaken, NotFound
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.schema import member, passkey, provider_link
from agent.interfaces.web.access import Role
from agent.server.accounts.records import Member

PASSKEYS: Final = select(func.count()).where(passkey.c.member_id == member.c.id).correlate(member).scalar_subquery().label("passkeys")
LINKS: Final = select(func.count()).where(provider_link.c.member_id == member.c.id).correlate(member).scalar_subquery().label("links")
COLUMNS: Final[tuple[Any, ...]] = (*member.c, PASSKEYS, LINKS)
# A member with one of these can sign in, unless locked.
WAYS_IN: Final = member.c.password_hash.is_not(None) | (PASSKEYS.element > 0) | (LINKS.element > 0)


def selected(*columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns)


def member_of(row: Row[*tuple[Any, ...]]) -> Member:
    values = row._mapping
    known = {each.name: values[each] for each in member.c}
    return Member(**known | {"role": Role(known["role"]), "passkeys": values["passkeys"], "links": values["links"]})


def required(tx: Connection, member_id: str) -> Member:
    """Raises NotFound."""
    row = tx.execute(selected(*COLUMNS).where(member.c.id == member_id)).first()
    if row is None:
        raise NotFound
    return member_of(row)


def add_member(tx: Connection, new: Member) -> None:
    """Raises MemberNameTaken."""
    if tx.scalar(select(member.c.id).where(member.c.name == new.name)) is not None:
        raise MemberNameTaken
    values = {each.name: getattr(new, each.name) for each in member.c}
    tx.execute(insert(member).values(**values | {"role": new.role.value}))
    audit_log.add(tx, "member_added", new.id, 1, new.created_at, detail=new.role)


def require_sign_in_method(tx: Connection, member_id: str) -> None:
    """Raise LastWayIn, which takes back the change, if the member can't sign in any more."""
    if tx.scalar(select(member.c.id).where(member.c.id == member_id, WAYS_IN)) is None:
        raise LastWayIn


def keep_an_administrator(tx: Connection, before: Member) -> None:
    """Raise LastAdministrator, which takes back the change, if `before` was the last one who can sign in."""
    able = (member.c.role == Role.ADMINISTRATOR.value, member.c.locked_at.is_(None), WAYS_IN)
    was_able = before.role is Role.ADMINISTRATOR and before.locked_at is None and before.joined
    if was_able and tx.scalar(select(member.c.id).where(*able).limit(1)) is None:
        raise LastAdministrator
