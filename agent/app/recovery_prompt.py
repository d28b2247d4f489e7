"""Offers the newest good backup in a notification when the library can't be opened at the start."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress

from agent.app.library_home import backup_store
from agent.app.program_swap import replace_process
from agent.desktop.notifications.notifier import Notifier
from agent.desktop.system.watchdog import unwatched
from agent.domain.errors import AgentError, StoreDamaged
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.service_context import utc_now
from agent.interfaces.cli.session import CommandSession

NOTIFY_S = 5.0
WAIT_S = 1800.0  # the notification may lie in the desktop's list for a while


def restored_if_asked(session: CommandSession, error: StoreDamaged) -> bool:
    """Show the error with a button that restores the backup it names; return whether the agent can start again.

    Blocks until the button is pressed, for `WAIT_S` at most; without notifications or without a backup, not at all.
    The library's lock is free meanwhile: commands can restore a backup too.
    """
    asked = asyncio.run(_asked(session, error))
    if not asked:
        return False
    try:
        with session.alone():
            store = backup_store(session.settings, session.paths)
            if store.photos_at_risk() is None:  # no command has restored one meanwhile
                store.restore(None, utc_now())
    except AgentError as failed:
        asyncio.run(_told(session, failed))
        return False
    return True


def start_again(words: Sequence[str]) -> None:
    """Replace this process by a new agent. Returns only if that fails."""
    replace_process(own_command("run", *words), unwatched(os.environ))


async def _asked(session: CommandSession, error: StoreDamaged) -> bool:
    if "unopened" not in error.params:
        await _told(session, error)
        return False
    texts, pressed, notifier = session.texts, asyncio.Event(), Notifier()
    said = texts("ui.sentences", cause=texts.cause(error), remedy=texts.remedy(error))
    with suppress(Exception):  # a failing notification must not hide the original error
        if await asyncio.wait_for(notifier.say(texts, said, texts("notify.restore"), pressed.set), NOTIFY_S):
            await wait_at_most(pressed, WAIT_S)
    return pressed.is_set()


async def _told(session: CommandSession, error: AgentError) -> None:
    with suppress(Exception):
        await asyncio.wait_for(Notifier().problem(session.texts, error), NOTIFY_S)
