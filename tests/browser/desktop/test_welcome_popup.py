"""The welcome in the popup's real window: from a fresh home to the first result, with pointer and keys of a real desktop."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from agent.infrastructure.core.i18n import Texts
from tests.browser.desktop.test_people_popup import POPUP, Popup, Until
from tests.support.accessibility import violations

if TYPE_CHECKING:
    from PIL import Image
    from playwright.sync_api import Playwright

    from tests.browser.conftest import Desktop
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]


def test_a_new_user_chooses_a_folder_and_sees_a_first_result(
    desktop: "Desktop",
    playwright: "Playwright",
    make_program: "Callable[[Mapping[str, str]], RealProgram]",
    photo: "Callable[[int], Image.Image]",
    until: Until,
    tmp_path: Path,
) -> None:
    t = Texts("zh-CN")
    pictures = tmp_path / "图片"
    pictures.mkdir()
    for number in range(3):
        photo(number).save(pictures / f"{number}.jpg")
    config = Path(desktop.environment["XDG_CONFIG_HOME"])
    config.mkdir(exist_ok=True)
    (config / "user-dirs.dirs").write_text(f'XDG_PICTURES_DIR="{pictures}"\n', encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shown_on = {each: desktop.environment[each] for each in ("DISPLAY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    program = make_program(
        {**shown_on, "HOME": str(tmp_path), "LC_ALL": "zh_CN.UTF-8", "QTWEBENGINE_CHROMIUM_FLAGS": f"--remote-debugging-port={port}"}
    )
    program.file.remove_folder(str(program.watched))
    program.file.set("popup.seconds", "2")
    program.start()
    with program.client() as client:
        client.post("/api/popup/show")
    until(lambda: bool(desktop.windows(POPUP)), "the popup")
    browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    (page,) = browser.contexts[0].pages
    popup = Popup(desktop, page, until)

    def press(key: str, **params: str | int) -> None:
        """With the pointer, until it is gone: a click in the very moment of the first frame is not for the page yet."""
        button = page.get_by_role("button", name=t(f"ui.first_run.{key}", **params), exact=key != "add")  # which says how many photos, too
        expect(button).to_be_enabled()

        def gone() -> bool:
            if button.count():
                popup.click(button)
                page.wait_for_timeout(300)
            return not button.count()

        until(gone, key)

    expect(page.get_by_text(t("ui.first_run.photos", count=3))).to_be_visible()
    desktop.screenshot(tmp_path / "1-folders.png")
    assert violations(page) == []
    press("add", name="图片")

    # Sent away half-way, it is where it was left.
    popup.click(page.get_by_role("button", name=t("ui.hide")))
    until(lambda: not desktop.windows(POPUP), "no popup")
    program.quit()
    browser.close()
    program.start()
    with program.client() as client:
        client.post("/api/popup/show")
    until(lambda: bool(desktop.windows(POPUP)), "the popup")
    browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    (page,) = browser.contexts[0].pages
    popup = Popup(desktop, page, until)
    expect(page.get_by_role("button", name=t("ui.first_run.leave_out", name="图片"))).to_be_visible()

    press("next")
    expect(page.get_by_role("radio", checked=True)).to_contain_text(t("ui.first_run.faces"))
    desktop.screenshot(tmp_path / "2-reach.png")
    assert violations(page) == []
    press("start")
    expect(page.get_by_role("img", name="0.jpg")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("group", name=t("ui.settings.recovery_title"))).to_be_visible()
    desktop.screenshot(tmp_path / "3-first.png")
    assert violations(page) == []
    settings = program.file.load()
    assert ([folder.root for folder in settings.folders], settings.recognition.enabled) == ([str(pictures)], False)
    press("to_photos")
    expect(page.get_by_role("img").first).to_be_visible()
    desktop.screenshot(tmp_path / "4-photos.png")
    browser.close()
