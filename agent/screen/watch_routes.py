"""Routes of screen watching: on, off, pause, and alerts."""

import asyncio
from collections.abc import Callable

from fastapi import FastAPI

from agent.core.config_file import SettingsFile
from agent.core.i18n import Texts
from agent.screen import present_watch
from agent.screen.service import ScreenWork
from agent.screen.watch import SWITCH
from agent.screen.watch_schemas import WatchOut, WatchSnooze, WatchSwitch


def watch_routes(api: FastAPI, screen: ScreenWork, file: SettingsFile, texts: Callable[[], Texts]) -> None:
    """Add the routes to `api`."""

    @api.get("/api/watch")
    async def watch() -> WatchOut:
        return present_watch.shown(screen.watching, await screen.watching.names(), texts())

    @api.put("/api/watch", status_code=204)
    async def switch(asked: WatchSwitch) -> None:
        """Change the setting. Refused if watching is impossible."""
        if asked.on and (refused := screen.watching.refused) is not None:
            raise refused
        await asyncio.to_thread(file.put, SWITCH, asked.on)

    @api.post("/api/watch/snooze", status_code=204)
    async def snooze(asked: WatchSnooze) -> None:
        await screen.watching.snooze(asked.minutes, until_tomorrow=asked.until_tomorrow)
