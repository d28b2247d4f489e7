"""Which processes have a threshold for their memory, and what is done beyond it."""

import os
from collections.abc import Awaitable, Callable

from agent.core.memory_guard import FACE_BYTES, Guarded, ProcessKind
from agent.desktop.desk import Desk
from agent.engine.matcher import MatcherProcess
from agent.engine.screen_engine import ScreenEngine
from agent.engine.worker_slot import FamilyMemory, memory_of


def guarded_matcher(matcher: MatcherProcess) -> Guarded:
    return Guarded(ProcessKind.MATCHER, lambda: matcher.pid, memory_of, matcher.renew, lambda: matcher.faces * FACE_BYTES)


def guarded_screen(engine: ScreenEngine) -> Guarded:
    return Guarded(ProcessKind.SCREEN, lambda: engine.pid, memory_of, engine.renew)


def guarded_popup(desk: Desk) -> Guarded:
    """The popup's process with those of its web view."""
    return Guarded(ProcessKind.POPUP, lambda: desk.popup_pid, FamilyMemory(), desk.renew_popup)


def guarded_agent(trim: Callable[[], Awaitable[None]]) -> Guarded:
    """This process on a desktop. It doesn't end by itself: a review or a dialog may be open."""

    async def recover() -> bool:
        await trim()
        return True

    return Guarded(ProcessKind.AGENT, os.getpid, memory_of, recover)


def guarded_service(kind: ProcessKind, trim: Callable[[], Awaitable[None]], end: Callable[[], None], *, supervised: bool) -> Guarded:
    """This process, a server or worker: `end` makes it drain and end. One that nothing starts again then goes on."""

    async def recover() -> bool:
        if supervised:
            end()
        else:
            await trim()
        return True

    return Guarded(kind, os.getpid, memory_of, recover)
