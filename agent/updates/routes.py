"""Routes of updates: what is known, and the user's words about it."""

from fastapi import FastAPI

from agent.updates.releases import UpdateState
from agent.updates.schemas import UpdateOut
from agent.web.context import Context
from agent.web.present import problem


def update_routes(api: FastAPI, context: Context) -> None:
    """Add them to `api`."""

    def out(state: UpdateState) -> UpdateOut:
        texts = context.texts()
        return UpdateOut.model_validate(
            {
                "step": state.step.value,
                "wanted": context.app.settings.updates.enabled,
                "channel": state.channel,
                "version": state.version,
                "news": state.news.get(texts.language) or state.news.get("en"),
                "command": state.command,
                "checked_at": state.checked_at,
                "problem": problem(state.problem, texts) if state.problem else None,
                "outcome": problem(state.outcome, texts) if state.outcome else None,
            }
        )

    @api.get("/api/update")
    async def update() -> UpdateOut:
        return out(context.updates.state)

    @api.post("/api/update/check")
    async def check() -> UpdateOut:
        """Ask now."""
        return out(await context.updates.check())

    @api.post("/api/update/download")
    async def download() -> UpdateOut:
        """Answers when it is here and verified."""
        return out(await context.updates.download())

    @api.delete("/api/update/outcome")
    async def put_away() -> UpdateOut:
        """It was read that an installation was taken back: it is told no more."""
        return out(await context.updates.put_away())

    @api.post("/api/update/install", status_code=202)
    async def install() -> None:
        """The program ends and goes on as the new version."""
        context.updates.install()
