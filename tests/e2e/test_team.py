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
from tests.team_browsers import PASSWORDS, accept_invitation, browsers, invite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


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
    with browsers(chromium) as opened:
        yield opened


def test_a_team_names_people_together_until_one_is_locked_out(server: RealServer, browser_of: Callable[..., Page]) -> None:
    server.settled(1)
    secret = server.reached["invitation"].rpartition("/")[2]
    admin, viewer, curator = browser_of(), browser_of("zh-CN"), browser_of()
    zh = Texts("zh-CN")
    accept_invitation(admin, f"{server.address}/#invitation/{secret}", "ada")
    accept_invitation(viewer, invite(admin, "Vera", "vera", "Viewer"), "vera")
    accept_invitation(curator, invite(admin, "Carl", "carl", "Curator"), "carl")

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
