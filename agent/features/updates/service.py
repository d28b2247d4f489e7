"""Checks for newer versions periodically and on request, in the background, and keeps the update state."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from agent.domain.errors import AgentError, UpdateManaged, UpdateNotReady, UpdatesOff
from agent.features.updates.releases import FIRST_RETRY, UpdateState, UpdateStep, due_at
from agent.infrastructure.core.observable import ChangeSignal

log = structlog.get_logger()

SETTLE_S = 30.0  # a version that has run this long is kept
FIRST_S = 240.0  # at log-in other programs need the network and the processor
LEAST_WAIT_S = 60.0
MOST_WAIT_S = 3_600.0  # the computer may have slept meanwhile


def _nothing() -> None: ...


@dataclass(frozen=True, slots=True)
class UpdateActions:
    """What the program does about a version."""

    restart: Callable[[], None] = _nothing  # end the program to restart it as the new version
    settle: Callable[[], None] = _nothing  # called when this version has run for a while; blocks
    dismiss_outcome: Callable[[], None] = _nothing  # dismiss the notice of a rollback; blocks


class Updates:
    """`read` returns the stored state (blocks); `ask(check, fetch, patient)` has a child process check and download.

    `wanted` is whether to check automatically; `jitter` is from 0 to 1, so that not all programs check at the same time.
    """

    def __init__(
        self,
        read: Callable[[], UpdateState],
        ask: Callable[[bool, bool, bool], Awaitable[None]],
        *,
        wanted: Callable[[], bool],
        clock: Callable[[], datetime],
        actions: UpdateActions,
        jitter: float = 0.5,
    ) -> None:
        self._read = read
        self._ask = ask
        self._wanted = wanted
        self._clock = clock
        self._actions = actions
        self.changed = ChangeSignal()
        """the state is another"""
        self._jitter = jitter
        self._turn = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None
        self.state = read()

    @classmethod
    def none(cls) -> "Updates":
        """The service of a program without an update server."""

        async def no_server(check: bool, fetch: bool, patient: bool) -> None: ...

        off = UpdateState(UpdateStep.OFF, "stable")
        return cls(lambda: off, no_server, wanted=lambda: False, clock=datetime.now, actions=UpdateActions())

    @property
    def ready(self) -> str | None:
        """The version waiting to be installed, automatically or by a command."""
        return self.state.version if self.state.step in (UpdateStep.READY, UpdateStep.MANAGED) else None

    async def check(self) -> UpdateState:
        """Check now, at the user's request; a new version is then downloaded in the background. Raises UpdateError, StoreError."""
        if self.state.step is UpdateStep.OFF:
            raise UpdatesOff
        await self._look(check=True, fetch=False)
        if self.state.step is UpdateStep.AVAILABLE and self._wanted():
            self._background = asyncio.create_task(self._fetch())
        return self.state

    async def _fetch(self) -> None:
        with suppress(AgentError):
            await self._look(check=False, fetch=True)

    async def download(self) -> UpdateState:
        """Download now. Raises UpdateError, StoreError."""
        if self.state.step is UpdateStep.OFF:
            raise UpdatesOff
        await self._look(check=False, fetch=True, patient=False)
        return self.state

    def install(self) -> None:
        """End the program and restart it as the new version. Raises UpdateNotReady, UpdateManaged."""
        if self.state.step is not UpdateStep.READY:
            raise UpdateManaged if self.state.step is UpdateStep.MANAGED else UpdateNotReady
        self._actions.restart()

    async def dismiss_outcome(self) -> UpdateState:
        """Dismiss the notice that an installation was rolled back. Raises OSError, StoreError."""
        async with self._turn:  # only one process writes the update memory at a time
            await asyncio.to_thread(self._actions.dismiss_outcome)
            await self.reread()
        return self.state

    async def reread(self) -> None:
        """Apply changed settings."""
        self.state = await asyncio.to_thread(self._read)
        self.changed.notify()

    async def run(self) -> None:
        """Run until cancelled."""
        await asyncio.sleep(SETTLE_S)
        await asyncio.to_thread(self._actions.settle)
        if self.state.step is UpdateStep.OFF:
            return
        await asyncio.sleep(FIRST_S * (0.5 + self._jitter))
        while True:
            if self._wanted() and self._due() <= timedelta():
                with suppress(AgentError):
                    await self._look(check=True, fetch=True)
            await asyncio.sleep(min(max(self._due().total_seconds(), LEAST_WAIT_S), MOST_WAIT_S))

    def _due(self) -> timedelta:
        """The time until the next check; a known version that is not downloaded yet is checked more often."""
        state, now = self.state, self._clock()
        at = due_at(state.checked_at, state.failures, self._jitter)
        if state.step is UpdateStep.AVAILABLE and state.checked_at is not None and not state.failures:
            at = state.checked_at + FIRST_RETRY
        # A check in the future: the clock was wrong, then or now.
        return timedelta() if at is None or (state.checked_at or now) > now + timedelta(days=2) else at - now

    async def _look(self, *, check: bool, fetch: bool, patient: bool = True) -> None:
        async with self._turn:
            try:
                await self._ask(check, fetch, patient)
            except AgentError as error:
                log.warning("updates.failed", code=error.code)
                raise
            finally:
                await self.reread()
