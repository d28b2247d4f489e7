"""Members, invitations and sessions in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, union, update

from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import api_token, audit, invitation, member, member_session, passkey, recovery_code, sign_in_attempt
from agent.server.accounts.audit_queries import AuditNoteQueries
from agent.server.accounts.member_rows import COLUMNS, add_member, keep_an_administrator, member_of, required, selected
from agent.server.accounts.oidc.queries import ProviderQueries, add_link
from agent.server.accounts.passkey_queries import PasskeyQueries, add_passkey
from agent.server.accounts.records import PASSWORD, Member, MemberOverview, Passkey, ProviderLink, SessionRecord
from agent.server.accounts.throttle_queries import AttemptQueries
from agent.server.accounts.token_queries import TokenQueries

NO_SECOND_FACTOR: Final[Mapping[str, None]] = {"totp_secret": None, "totp_confirmed_at": None, "totp_step": None}
MOST_SESSIONS = 50  # of a member; the one unused for longest goes first


class MemberQueries(Queries):
    def recorded(self) -> frozenset[str]:
        """The ids of members in the entries of the record that are within reach."""
        # Each member is looked up by an index: the record grows for ever.
        met = (select(member.c.id).where(exists().where(column == member.c.id)) for column in (audit.c.actor, audit.c.subject))
        with self.database.read() as tx:
            return frozenset(tx.scalars(union(*met)))

    def members(self) -> tuple[MemberOverview, ...]:
        """All members by name."""
        seen = select(member_session.c.member_id, func.max(member_session.c.seen_at).label("seen_at")).group_by(member_session.c.member_id)
        found = seen.subquery()
        query = (
            selected(*COLUMNS, invitation.c.expires_at, found.c.seen_at)
            .outerjoin(invitation, invitation.c.member_id == member.c.id)
            .outerjoin(found, found.c.member_id == member.c.id)
        )
        with self.database.read() as tx:
            rows = sorted(tx.execute(query), key=lambda row: str(row.name))  # the database can't read them
            return tuple(MemberOverview(member_of(row), row.expires_at, row.seen_at) for row in rows)

    def member(self, member_id: str) -> Member:
        """Raises NotFound."""
        with self.database.read() as tx:
            return required(tx, member_id)

    def member_if_any(self, member_id: str) -> Member | None:
        with self.database.read() as tx:
            row = tx.execute(selected(*COLUMNS).where(member.c.id == member_id)).first()
            return member_of(row) if row else None

    def by_name(self, name: str) -> Member | None:
        """The member with that folded name."""
        with self.database.read() as tx:
            row = tx.execute(selected(*COLUMNS).where(member.c.name == name)).first()
            return member_of(row) if row else None

    def add(self, new: Member) -> None:
        """Raises MemberNameTaken."""
        with self.database.write(durable=True) as tx:
            add_member(tx, new)

    def change(self, member_id: str, values: Mapping[str, Any], now: datetime, *, drop_passkeys: bool = False) -> Member:
        """Set columns, if there are any. A member who is locked loses sessions and invitation. Raises NotFound, LastAdministrator."""
        with self.database.write(durable=True) as tx:
            before = required(tx, member_id)
            if not values:
                return before
            tx.execute(update(member).where(member.c.id == member_id).values(**values))
            if drop_passkeys and (dropped := tx.execute(delete(passkey).where(passkey.c.member_id == member_id)).rowcount):
                audit_log.add(tx, "passkey_removed", member_id, dropped, now)
            after = required(tx, member_id)
            keep_an_administrator(tx, before)
            if after.role is not before.role:
                audit_log.add(tx, "role_changed", member_id, 1, now, detail=after.role)
            if after.display_name != before.display_name:
                audit_log.add(tx, "member_renamed", member_id, 1, now)
            if (after.locked_at is None) != (before.locked_at is None):
                audit_log.add(tx, "member_unlocked" if after.locked_at is None else "member_locked", member_id, 1, now)
            if before.second_factor and not after.second_factor:
                audit_log.add(tx, "second_factor_off", member_id, 1, now)
                tx.execute(delete(recovery_code).where(recovery_code.c.member_id == member_id))
            if after.locked_at is not None:
                tx.execute(delete(member_session).where(member_session.c.member_id == member_id))
                tx.execute(delete(invitation).where(invitation.c.member_id == member_id))
            return after

    def remove(self, member_id: str, now: datetime) -> None:
        """Remove the member with all that is theirs. Raises NotFound, LastAdministrator."""
        with self.database.write(durable=True) as tx:
            before = required(tx, member_id)
            tx.execute(delete(member).where(member.c.id == member_id))
            keep_an_administrator(tx, before)
            audit_log.add(tx, "member_removed", member_id, 1, now)

    def rehash(self, member_id: str, before: str, password_hash: str) -> None:
        """Store the same password's hash by newer parameters, unless the password was changed meanwhile."""
        which = (member.c.id == member_id, member.c.password_hash == before)
        with self.database.write(durable=True) as tx:
            tx.execute(update(member).where(*which).values(password_hash=password_hash))

    def set_password(self, member_id: str, before: str, password_hash: str, now: datetime) -> bool:
        """False if the password is not `before` any more."""
        which = (member.c.id == member_id, member.c.password_hash == before)
        with self.database.write(durable=True) as tx:
            changed = tx.execute(update(member).where(*which).values(password_hash=password_hash, password_changed_at=now)).rowcount
            if changed:
                audit_log.add(tx, "password_changed", member_id, 1, now)
            return changed == 1

    # -- invitations -------------------------------------------------------------------------------------------------------------
    def invite(self, member_id: str, sha256: str, expires_at: datetime, now: datetime) -> None:
        """Make an invitation, in place of an earlier one. Raises NotFound."""
        with self.database.write(durable=True) as tx:
            required(tx, member_id)
            tx.execute(delete(invitation).where(invitation.c.member_id == member_id))
            tx.execute(insert(invitation).values(member_id=member_id, sha256=sha256, expires_at=expires_at))
            audit_log.add(tx, "member_invited", member_id, 1, now)

    def invited(self, sha256: str, now: datetime) -> tuple[Member, datetime] | None:
        """The invited member, and until when; None if there is no such invitation, or the member is locked."""
        with self.database.read() as tx:
            return _invited(tx, sha256, now)

    def accept(
        self, sha256: str, password_hash: str | None, now: datetime, *, new_passkey: Passkey | None = None, link: ProviderLink | None = None
    ) -> Member | None:
        """Use an invitation: set the password, or in its place add what was given, and end the member's sessions.

        None if another request used it meanwhile. Raises PasskeyUnusable, IdentityTaken.
        """
        with self.database.write(durable=True) as tx:
            found = _invited(tx, sha256, now)
            if found is None:
                return None
            who = found[0].id
            tx.execute(delete(invitation).where(invitation.c.member_id == who))
            tx.execute(delete(member_session).where(member_session.c.member_id == who))
            tx.execute(update(member).where(member.c.id == who).values(password_hash=password_hash, password_changed_at=now))
            with acting_as(who):
                if new_passkey is not None:
                    add_passkey(tx, who, new_passkey)
                if link is not None:
                    add_link(tx, who, link)
                audit_log.add(tx, "invitation_accepted", who, 1, now)
            return required(tx, who)

    # -- the second factor -------------------------------------------------------------------------------------------------------
    def begin_second_factor(self, member_id: str, secret: bytes) -> None:
        values = {**NO_SECOND_FACTOR, "totp_secret": secret}
        with self.database.write(durable=True) as tx:
            tx.execute(update(member).where(member.c.id == member_id).values(**values))

    def confirm_second_factor(self, member_id: str, step: int, codes: Sequence[str], now: datetime) -> None:
        """Put it in use; `codes` are the hashes of its recovery codes."""
        with self.database.write(durable=True) as tx:
            tx.execute(update(member).where(member.c.id == member_id).values(totp_confirmed_at=now, totp_step=step))
            tx.execute(delete(recovery_code).where(recovery_code.c.member_id == member_id))
            tx.execute(insert(recovery_code), [{"member_id": member_id, "sha256": each} for each in codes])
            audit_log.add(tx, "second_factor_on", member_id, 1, now)

    def use_step(self, member_id: str, step: int) -> bool:
        """Use up a code; False if it, or a later one, was used meanwhile."""
        unused = member.c.totp_step.is_(None) | (member.c.totp_step < step)
        with self.database.write(durable=True) as tx:
            return tx.execute(update(member).where(member.c.id == member_id, unused).values(totp_step=step)).rowcount == 1

    def recovery_codes(self, member_id: str) -> int:
        """How many were not used yet."""
        with self.database.read() as tx:
            return tx.scalar(select(func.count()).where(recovery_code.c.member_id == member_id)) or 0

    def use_recovery_code(self, member_id: str, sha256: str) -> bool:
        """Use up a recovery code; False if there is none."""
        which = (recovery_code.c.member_id == member_id, recovery_code.c.sha256 == sha256)
        with self.database.write(durable=True) as tx:
            return tx.execute(delete(recovery_code).where(*which)).rowcount == 1


class SessionQueries(Queries):
    def open_session(self, new: SessionRecord) -> int | None:
        """Store it; returns its number. None if the member was locked or removed, or the password changed, since they were read."""
        mine, who = member_session.c.member_id == new.member.id, new.member
        values = {"member_id": who.id} | {each.name: getattr(new, each.name) for each in _OF_SESSION if each.name != "id"}
        same = (member.c.id == who.id, member.c.locked_at.is_(None), member.c.password_hash == who.password_hash)
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(member.c.id).where(*same)) is None:
                return None
            number = add(tx, member_session, values)
            newest = select(member_session.c.id).where(mine).order_by(member_session.c.seen_at.desc()).limit(MOST_SESSIONS)
            tx.execute(delete(member_session).where(mine, member_session.c.id.not_in(newest.scalar_subquery())))
            with acting_as(new.member.id):
                audit_log.add(tx, "signed_in", new.member.id, 1, new.opened_at, detail="" if new.means == PASSWORD else new.means)
            return number

    def session_by_key(self, sha256: str) -> SessionRecord | None:
        return self._session(member_session.c.key_sha256 == sha256)

    def session_by_ticket(self, sha256: str) -> SessionRecord | None:
        return self._session(member_session.c.ticket_sha256 == sha256)

    def sessions(self, member_id: str) -> tuple[SessionRecord, ...]:
        """A member's sessions, oldest first."""
        query = _sessions().where(member_session.c.member_id == member_id).order_by(member_session.c.id)
        with self.database.read() as tx:
            return tuple(map(_session, tx.execute(query)))

    def seen(self, seen: Mapping[int, datetime]) -> None:
        """Note when sessions were last used."""
        with self.database.write() as tx:
            for number, at in seen.items():
                tx.execute(update(member_session).where(member_session.c.id == number).values(seen_at=at))

    def end_sessions(
        self, member_id: str, now: datetime, *, number: int | None = None, but: int | None = None, means: str | None = None
    ) -> tuple[int, ...]:
        """End one session of a member, or all `but` one, or those opened by `means`. Returns their numbers."""
        which = [member_session.c.member_id == member_id]
        which += [member_session.c.means == means] if means is not None else []
        which += [member_session.c.id == number] if number is not None else []
        which += [member_session.c.id != but] if but is not None else []
        with self.database.write(durable=True) as tx:
            ended = tuple(tx.scalars(select(member_session.c.id).where(*which)))
            tx.execute(delete(member_session).where(*which))
            if ended:
                audit_log.add(tx, "sessions_ended", member_id, len(ended), now)
            return ended

    def end_old_sessions(self, *, unused_since: datetime, opened_before: datetime, now: datetime) -> None:
        """Delete sessions that are over anyway, invitations and tokens that ended as long ago, and counts that count no more."""
        with self.database.write() as tx:
            old = (member_session.c.seen_at <= unused_since) | (member_session.c.opened_at <= opened_before)
            tx.execute(delete(member_session).where(old))
            tx.execute(delete(invitation).where(invitation.c.expires_at <= opened_before))
            tx.execute(delete(api_token).where(api_token.c.expires_at <= opened_before))
            tx.execute(delete(sign_in_attempt).where(sign_in_attempt.c.expires_at <= now))

    def _session(self, which: Any) -> SessionRecord | None:
        with self.database.read() as tx:
            row = tx.execute(_sessions().where(which)).first()
            return _session(row) if row else None


class AccountQueries(MemberQueries, SessionQueries, TokenQueries, AuditNoteQueries, AttemptQueries, PasskeyQueries, ProviderQueries):
    """All of them."""


def _invited(tx: Connection, sha256: str, now: datetime) -> tuple[Member, datetime] | None:
    query = selected(*COLUMNS, invitation.c.expires_at).join(invitation, invitation.c.member_id == member.c.id)
    row = tx.execute(query.where(invitation.c.sha256 == sha256, invitation.c.expires_at > now, member.c.locked_at.is_(None))).first()
    return (member_of(row), row.expires_at) if row else None


_OF_SESSION: Collection[Any] = tuple(each for each in member_session.c if each.name not in ("member_id",))


def _sessions() -> Any:
    return selected(*COLUMNS, *_OF_SESSION).join(member, member.c.id == member_session.c.member_id)


def _session(row: Row[*tuple[Any, ...]]) -> SessionRecord:
    return SessionRecord(member=member_of(row), **{each.name: row._mapping[each] for each in _OF_SESSION})
