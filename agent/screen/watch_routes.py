"""Routes of watching the screen: on, off, snoozed, and what was said."""

import asyncio

from fastapi import FastAPI

from agent.screen import present_watch
from agent.screen.watch import SWITCH
from agent.screen.watch_schemas import WatchOut, WatchSnooze, WatchSwitch
from agent.web.context import Context


def watch_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""
    app = context.app

    @api.get("/api/watch")
    async def watch() -> WatchOut:
        return present_watch.shown(app.screen.watching, await app.screen.watching.names(), context.texts())

    @api.put("/api/watch", status_code=204)
    async def switch(asked: WatchSwitch) -> None:
        """As the setting. Refused where it can't be."""
        if asked.on and (refused := app.screen.watching.refused) is not None:
            raise refused
        await asyncio.to_thread(context.settings.put, SWITCH, asked.on)

    @api.post("/api/watch/snooze", status_code=204)
    async def snooze(asked: WatchSnooze) -> None:
        await app.screen.watching.snooze(asked.minutes, until_tomorrow=asked.until_tomorrow)
