"""Accounts at an OpenID provider that sign in as a member, in the database."""

from collections import Counter
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, text, update

from agent.domain.errors import IdentityTaken, NotFound
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.schema import ceremony, member, member_session, provider_link
from agent.server.accounts.challenges import CeremonyKind, CeremonyQueries
from agent.server.accounts.member_rows import COLUMNS, add_member, member_of, require_sign_in_method, required, selected
from agent.server.accounts.records import PROVIDER, Member, ProviderLink

# Two processes may be told the same at once: one of them writes it.
_KEEP: Final = text(
    "INSERT INTO ceremony (sha256, kind, about, expires_at) VALUES (:sha256, :kind, '', :until) ON CONFLICT (sha256) DO NOTHING"
).bindparams(bindparam("until", type_=Instant))
_COLUMNS = tuple(each for each in provider_link.c if each.name != "member_id")


def add_link(tx: Connection, member_id: str, new: ProviderLink) -> None:
    """Link it, in place of another account at the same provider. Raises IdentityTaken if another member has linked it."""
    which = (provider_link.c.issuer == new.issuer, provider_link.c.subject == new.subject)
    owner = tx.scalar(select(provider_link.c.member_id).where(*which))
    if owner == member_id:
        return
    if owner is not None:
        raise IdentityTaken
    earlier = (provider_link.c.issuer == new.issuer, provider_link.c.member_id == member_id)
    if tx.execute(delete(provider_link).where(*earlier)).rowcount:
        audit_log.add(tx, "provider_unlinked", member_id, 1, new.created_at)
    values = {each.name: getattr(new, each.name) for each in _COLUMNS}
    tx.execute(insert(provider_link).values(**values, member_id=member_id))
    audit_log.add(tx, "provider_linked", member_id, 1, new.created_at)


class ProviderQueries(CeremonyQueries):
    def links(self, member_id: str) -> tuple[ProviderLink, ...]:
        """A member's accounts at providers, oldest first."""
        query = select(*_COLUMNS).where(provider_link.c.member_id == member_id).order_by(provider_link.c.created_at)
        with self.database.read() as tx:
            return tuple(ProviderLink(**row._mapping) for row in tx.execute(query))

    def linked(self, issuer: str, subject: str) -> Member | None:
        """The member who signs in by that account."""
        query = selected(*COLUMNS).join(provider_link, provider_link.c.member_id == member.c.id)
        with self.database.read() as tx:
            row = tx.execute(query.where(provider_link.c.issuer == issuer, provider_link.c.subject == subject)).first()
            return member_of(row) if row else None

    def link(self, member_id: str, new: ProviderLink) -> None:
        """Raises IdentityTaken, and NotFound if the member was removed or locked meanwhile."""
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(member.c.id).where(member.c.id == member_id, member.c.locked_at.is_(None))) is None:
                raise NotFound
            add_link(tx, member_id, new)

    def add_linked(self, new: Member, link: ProviderLink) -> Member:
        """A new member with that account, in one step. Raises MemberNameTaken, IdentityTaken."""
        with self.database.write(durable=True) as tx, acting_as(new.id):
            add_member(tx, new)
            add_link(tx, new.id, link)
            return required(tx, new.id)

    def link_used(self, link: ProviderLink) -> None:
        """Note a use, and what the account is called now."""
        which = (provider_link.c.issuer == link.issuer, provider_link.c.subject == link.subject)
        with self.database.write() as tx:
            tx.execute(update(provider_link).where(*which).values(used_at=link.used_at, label=link.label))

    def log_out(
        self, token: str, until: datetime, now: datetime, *, issuer: str, subject: str, session: str | None
    ) -> tuple[int, ...] | None:
        """End what the provider says has ended, and return the numbers of those sessions; None if the token was used before.

        `session` ends the sessions opened by it. Without it, all end that the account with that `subject` opened; with it, also those
        of the account that don't know which session opened them. Token and `session` are kept until the token is too old to be accepted.
        """
        mine = [member_session.c.provider_session == session] if session else []
        if subject:
            linked = select(provider_link.c.member_id).where(provider_link.c.issuer == issuer, provider_link.c.subject == subject)
            unnamed = [member_session.c.provider_session.is_(None)] if session else []
            mine.append(and_(member_session.c.means == PROVIDER, member_session.c.member_id.in_(linked), *unnamed))
        with self.database.write(durable=True) as tx:
            tx.execute(delete(ceremony).where(ceremony.c.expires_at <= now))
            if not tx.execute(_KEEP, {"sha256": token, "kind": CeremonyKind.LOGOUT_TOKEN, "until": until}).rowcount:
                return None
            if session:
                tx.execute(_KEEP, {"sha256": session, "kind": CeremonyKind.ENDED_SESSION, "until": until})
            ended = tx.execute(delete(member_session).where(or_(*mine)).returning(member_session.c.id, member_session.c.member_id)).all()
            for who, count in Counter(each.member_id for each in ended).items():
                audit_log.add(tx, "sessions_ended", who, count, now, detail=PROVIDER)
            return tuple(each.id for each in ended)

    def unlink(self, member_id: str, now: datetime, *, issuer: str | None = None) -> int:
        """Unlink a member's account at a provider, or all of them; returns how many.

        Raises NotFound, and LastWayIn if the member could not sign in any more.
        """
        which = [provider_link.c.member_id == member_id, *([provider_link.c.issuer == issuer] if issuer is not None else [])]
        with self.database.write(durable=True) as tx:
            required(tx, member_id)
            count = tx.execute(delete(provider_link).where(*which)).rowcount
            if count == 0:
                raise NotFound
            require_sign_in_method(tx, member_id)
            audit_log.add(tx, "provider_unlinked", member_id, count, now)
            return count
