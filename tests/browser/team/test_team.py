"""A team on one server, each in another browser, one in Chinese.

The administrator invites, the curator names and imports a class, the viewer sees it and is locked out.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from agent.infrastructure.core.i18n import Texts
from tests.support.journey import Journey
from tests.support.real_program import RealProgram
from tests.support.real_server import RealServer
from tests.support.team_browsers import PASSWORDS, accept_invitation, browsers, invite

pytestmark = [
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


@pytest.fixture
def class_list(samples_folder: Path, tmp_path: Path) -> Path:
    """A list with a line that is wrong, and its photos: a portrait, and a photo without a face."""
    journey = Journey(RealProgram.__new__(RealProgram), samples_folder, tmp_path)
    shutil.copyfile(samples_folder / "obama.jpg", journey.album("class/photos", plain=1) / "portrait.jpg")
    rows = ["小明,识别,portrait.jpg", "小梅,识别,plain-0001.jpg;missing.jpg", "小雷,教学,"]
    file = tmp_path / "class" / "名单.csv"
    file.write_text("\n".join(["姓名,用途,照片", *rows]), encoding="gb18030")
    return file


def import_class(page: Page, file: Path) -> None:
    """Import it on the page, once the wrong line is mended."""
    page.goto(page.url.split("#")[0] + "#consents")
    page.get_by_role("link", name="Import a class list…").click()
    page.locator("[data-of=list]").set_input_files(file)
    expect(page.get_by_text("Line 4: “purposes” is missing or can’t be used.")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=True)).to_have_count(0)
    file.write_text(file.read_text(encoding="gb18030").replace("教学", "公开"), encoding="utf-8")
    page.locator("[data-of=list]").set_input_files(file)
    expect(page.get_by_text("3 people, of these new: 3")).to_be_visible()
    page.locator("[data-of=folder]").set_input_files(file.parent / "photos")
    expect(page.get_by_text("Photos found: 2 of 3")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("New people: 3, consents and refusals entered: 3, new reference photos: 1.")).to_be_visible()
    expect(page.locator("li").filter(has_text="plain-0001.jpg")).to_contain_text("No face was found in this photo.")


def test_a_team_names_people_together_until_one_is_locked_out(
    server: RealServer, browser_of: Callable[..., Page], class_list: Path
) -> None:
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

    import_class(curator, class_list)
    viewer.get_by_role("link", name=zh("ui.nav.people")).click()
    expect(viewer.locator(".people")).to_contain_text("小明")
    curator.get_by_role("button", name="Undo: remove 1 new reference photo").click()
    expect(curator.get_by_text("1 reference photo removed.")).to_be_visible()
    expect(viewer.locator(".people")).not_to_contain_text("小明")

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
    expect(entries.filter(has_text="named faces").first).to_contain_text("Carl")
    expect(entries.filter(has_text="reference photo added")).to_have_count(1)
    admin.get_by_role("button", name="Verify").click()
    expect(admin.get_by_text("The record is intact")).to_be_visible()
