"""The routes of updates: what is known, in the user's language, and what is done about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.domain.errors import UpdateRolledBack, UpdateUntrusted
from agent.features.updates.releases import UpdateState, UpdateStep
from agent.features.updates.service import UpdateActions, Updates

if TYPE_CHECKING:
    import httpx

    from tests.unit.interfaces.web.conftest import Served

NOW = datetime(2026, 1, 10, tzinfo=UTC)
READY = UpdateState(UpdateStep.READY, "stable", version="0.2.0", news={"en": "Small things.", "zh-CN": "小改进。"}, checked_at=NOW)


class Known:
    """What the program knows."""

    def __init__(self, served: Served, state: UpdateState) -> None:
        self.state = state
        self.restarts = 0
        self.error: UpdateUntrusted | None = None
        made = Updates(
            lambda: self.state,
            self._ask,
            wanted=lambda: True,
            clock=lambda: NOW,
            actions=UpdateActions(self._restart, dismiss_outcome=self._dismiss_outcome),
        )
        served.context = replace(served.context, updates=made)

    async def _ask(self, check: bool, fetch: bool, patient: bool) -> None:
        if self.error:
            raise self.error

    def _dismiss_outcome(self) -> None:
        self.state = replace(self.state, outcome=None)

    def _restart(self) -> None:
        self.restarts += 1


async def test_a_build_without_a_server_says_so(owner: httpx.AsyncClient) -> None:
    said = (await owner.get("/api/update")).json()
    assert (said["step"], said["version"]) == ("off", None)
    refused = await owner.post("/api/update/check")
    assert (refused.status_code, refused.json()["code"]) == (409, "update.off")


async def test_what_is_ready_is_said_with_its_news_in_the_language_of_the_user(served: Served) -> None:
    known = Known(served, READY)
    served.language = "zh-CN"
    async with served.client(authorization=f"Bearer {served.auth.token}") as owner:
        said = (await owner.get("/api/update")).json()
        assert (said["step"], said["version"], said["news"]) == ("ready", "0.2.0", "小改进。")
        assert (await owner.post("/api/update/install")).status_code == 202
    assert known.restarts == 1


async def test_what_failed_and_what_was_taken_back_is_said_with_cause_and_remedy(served: Served) -> None:
    known = Known(served, replace(READY, step=UpdateStep.CURRENT, version=None, outcome=UpdateRolledBack(version="0.2.0")))
    known.error = UpdateUntrusted()
    async with served.client(authorization=f"Bearer {served.auth.token}") as owner:
        assert (await owner.post("/api/update/check")).json()["code"] == "update.untrusted"
        said = (await owner.get("/api/update")).json()
        assert said["outcome"]["code"] == "update.rolled_back" and "0.2.0" in said["outcome"]["cause"]
        assert (await owner.post("/api/update/install")).status_code == 409


async def test_what_was_taken_back_is_told_no_more_once_it_was_read(served: Served) -> None:
    Known(served, replace(READY, step=UpdateStep.CURRENT, version=None, outcome=UpdateRolledBack(version="0.2.0")))
    async with served.client(authorization=f"Bearer {served.auth.token}") as owner:
        assert (await owner.delete("/api/update/outcome")).json()["outcome"] is None
        assert (await owner.get("/api/update")).json()["outcome"] is None
        assert (await owner.delete("/api/update/outcome")).status_code == 200, "twice is once"
