"""An administrator backs the server up from its page, tries a restore there, and reads how both went."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from agent.core.i18n import Texts
from tests.server_program import RealServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
LIMIT_MS = 200_000  # a busy machine is no failure


@pytest.fixture
def server(tmp_path: Path, models_folder: Path, built_ui: None) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {"AI_POPUP__SERVER__WORKERS": "0", "AI_POPUP__SERVER__OPERATIONS_PORT": "0"})
    made.serve()
    yield made
    made.quit()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_administrator_backs_up_and_tries_a_restore(server: RealServer, chromium: Browser, language: str) -> None:
    t = Texts(language)
    context = chromium.new_context(ignore_https_errors=True, locale=language, viewport={"width": 360, "height": 800})
    page = context.new_page()
    try:
        page.goto(f"{server.address}/#invitation/{server.reached['invitation'].rpartition('/')[2]}")
        page.locator("[name=new-password]").fill("seven quiet harbours")
        page.keyboard.press("Enter")
        page.locator("main").wait_for()
        page.goto(f"{server.address}/#backups")
        main = page.locator(".backups")
        expect(main).to_contain_text(t("team_page.backups.never"))
        main.get_by_role("button", name=t("team_page.backups.now")).click()
        expect(main).to_contain_text(t("team_page.backups.kept", count=1), timeout=LIMIT_MS)
        main.get_by_role("button", name=t("team_page.backups.drill")).click()
        expect(main.locator("ul").first).not_to_contain_text(t("team_page.backups.no_drill"), timeout=LIMIT_MS)
        expect(main.locator(".bad")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        context.close()
