"""What members do with incidents: look, take the first step or undo it, close."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from agent.domain.errors import NoFirstStep, StepNotUndone
from agent.server.accounts.service import Accounts
from agent.server.incidents.incident_kinds import CloseReason, FirstStep
from agent.server.incidents.queries import Incident, IncidentQueries


class Incidents:
    def __init__(self, queries: IncidentQueries, accounts: Accounts, clock: Callable[[], datetime]) -> None:
        self.queries = queries
        self._accounts = accounts
        self._clock = clock

    async def see(self, incident_id: int) -> Incident:
        """Raises NotFound."""
        return await asyncio.to_thread(self.queries.see, incident_id, self._clock())

    async def close(self, incident_id: int, reason: CloseReason) -> Incident:
        """Raises NotFound."""
        return await asyncio.to_thread(self.queries.close, incident_id, reason, self._clock())

    async def reopen(self, incident_id: int) -> Incident:
        """Raises NotFound."""
        return await asyncio.to_thread(self.queries.reopen, incident_id, self._clock())

    async def act(self, incident_id: int) -> Incident:
        """Take the first step. Raises NotFound, also for a member or token that is gone, NoFirstStep, LastAdministrator."""
        found = await self.see(incident_id)
        member = found.subject
        if found.step is None or member is None:
            raise NoFirstStep
        await self._accounts.members.get(member)
        match found.step:
            case FirstStep.LOCK:
                await self._accounts.members.change(member, locked=True)
            case FirstStep.END_SESSIONS:
                await self._accounts.sessions.end(member)
            case FirstStep.END_SESSION:
                await self._accounts.sessions.end(member, number=int(_word(found)))
            case FirstStep.REVOKE_TOKEN:
                await self._accounts.tokens.remove(member, _word(found))
        return await asyncio.to_thread(self.queries.acted, incident_id, self._clock())

    async def keep_evidence(self, incident_id: int | None, sha256: str) -> None:
        """Raises NotFound."""
        await asyncio.to_thread(self.queries.keep_evidence, incident_id, sha256, self._clock())

    async def undo(self, incident_id: int) -> Incident:
        """Take a lock back. Raises NotFound, StepNotUndone."""
        found = await asyncio.to_thread(self.queries.incident, incident_id)
        if found.step is not FirstStep.LOCK or found.subject is None or found.acted_at is None or found.undone_at is not None:
            raise StepNotUndone
        await self._accounts.members.change(found.subject, locked=False)
        return await asyncio.to_thread(self.queries.acted, incident_id, self._clock(), undone=True)


def _word(found: Incident) -> str:
    """The number of a session, or the id of a token."""
    return found.about.partition(" ")[2]
