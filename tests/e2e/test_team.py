"""A team on one server, each in another browser, one in Chinese.

The administrator invites, the curator names, the viewer sees it and is locked out.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from agent.core.i18n import Texts
from tests.server_program import RealServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]

PASSWORDS = {"ada": "seven quiet harbours", "vera": "an orchard in november", "carl": "lamps along the canal"}


@pytest.fixture
def server(tmp_path: Path, models_folder: Path, samples_folder: Path, built_ui: None) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {})
    made.file.set("recognition.enabled", "true")
    shutil.copyfile(samples_folder / "biden.jpg", made.watched / "portrait.jpg")
    made.serve()
    yield made
    made.quit()


@pytest.fixture
def browser_of(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """A browser of another person. The server's authority is its own: what a browser would ask about it is answered here."""
    contexts = []

    def opened(language: str = "en") -> Page:
        contexts.append(chromium.new_context(ignore_https_errors=True, locale=language, viewport={"width": 1280, "height": 800}))
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def _accept(page: Page, link: str, name: str) -> None:
    """Open the invitation, choose a password, and arrive at the photos."""
    page.goto(link)
    page.locator("[name=new-password]").fill(PASSWORDS[name])
    page.keyboard.press("Enter")
    page.get_by_role("option").first.wait_for()


def _invite(page: Page, display_name: str, name: str, role: str) -> str:
    """The invitation's link."""
    page.goto(page.url.split("#")[0] + "#members")
    page.get_by_role("button", name="Invite…").click()
    page.get_by_label("Name shown to others").fill(display_name)
    page.get_by_label("User name").fill(name)
    page.get_by_role("form").get_by_role("combobox").click()
    page.get_by_role("option", name=role).click()
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("heading", name=f"Link for {display_name}")).to_be_visible()
    return page.locator("section code").inner_text()


def test_a_team_names_people_together_until_one_is_locked_out(server: RealServer, browser_of: Callable[..., Page]) -> None:
    server.settled(1)
    secret = server.reached["invitation"].rpartition("/")[2]
    admin, viewer, curator = browser_of(), browser_of("zh-CN"), browser_of()
    zh = Texts("zh-CN")
    _accept(admin, f"{server.address}/#invitation/{secret}", "ada")
    _accept(viewer, _invite(admin, "Vera", "vera", "Viewer"), "vera")
    _accept(curator, _invite(admin, "Carl", "carl", "Curator"), "carl")

    viewer.get_by_role("option").first.click()
    panel = viewer.locator("main aside")
    expect(panel.get_by_role("heading", level=3)).to_have_text(zh("ui.faces", count=1))
    expect(panel.locator("input")).to_have_count(0)
    curator.get_by_role("option").first.click()
    curator.get_by_label("Who is this?").fill("Grace")
    curator.keyboard.press("Enter")
    expect(panel).to_contain_text("Grace")
    viewer.get_by_role("link", name=zh("ui.nav.people")).click()
    expect(viewer.locator(".people")).to_contain_text("Grace")

    admin.get_by_role("button", name="Actions for Vera").click()
    admin.get_by_role("menuitem", name="Lock").click()
    expect(admin.get_by_text("Vera is locked and signed out")).to_be_visible()
    expect(viewer.get_by_role("heading", level=1)).to_have_text(zh("team_page.sign_in.ended"))
    viewer.locator("[name=username]").fill("vera")
    viewer.locator("[name=password]").fill(PASSWORDS["vera"])
    viewer.keyboard.press("Enter")
    expect(viewer.get_by_role("alert")).not_to_be_empty()
    expect(viewer.get_by_role("heading", level=1)).to_have_text(zh("team_page.sign_in.ended"))

    admin.goto(admin.url.split("#")[0] + "#record")
    entries = admin.locator("main ul li")
    expect(entries.filter(has_text="Carl").first).to_contain_text("named faces")
    admin.get_by_role("button", name="Verify").click()
    expect(admin.get_by_text("The record is intact")).to_be_visible()
