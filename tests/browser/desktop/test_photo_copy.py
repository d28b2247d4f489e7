"""“Copy with faces covered”, pressed in the popup's own window: what another program pastes has no face left."""

import io
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import expect

from agent.infrastructure.core.i18n import Texts
from tests.browser.conftest import need

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from tests.browser.conftest import Desktop
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]

Until = Callable[[Callable[[], bool], str], None]
POPUP = "^AI Popup$"
AWAY = 24  # from a JPEG's noise


def pasted(desktop: "Desktop", format: str) -> Image.Image:
    command = ["xclip", "-selection", "clipboard", "-target", format, "-out"]
    told = subprocess.run(command, env=desktop.environment, capture_output=True, timeout=100, check=True)
    return Image.open(io.BytesIO(told.stdout))


def test_the_main_button_of_a_photo_copies_it_with_its_face_covered(
    desktop: "Desktop",
    playwright: "Playwright",
    make_program: "Callable[[Mapping[str, str]], RealProgram]",
    samples_folder: Path,
    until: Until,
    tmp_path: Path,
) -> None:
    need("xclip")
    t = Texts("en")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shown_on = {each: desktop.environment[each] for each in ("DISPLAY", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    program = make_program({**shown_on, "QTWEBENGINE_CHROMIUM_FLAGS": f"--remote-debugging-port={port}"})
    for key, value in {"general.language": "en", "popup.seconds": "3600"}.items():
        program.file.set(key, value)
    program.start()
    with Image.open(samples_folder / "obama.jpg") as original:
        seen = original.convert("RGB")
        exif = original.getexif()
    exif[0x010E] = "who this is"  # the description
    seen.save(program.watched / "a.jpg", quality=95, exif=exif)
    program.settled(1)
    [face] = program.images()["a.jpg"].faces
    until(lambda: bool(desktop.windows(POPUP)), "the popup")

    browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    page = next(page for page in browser.contexts[0].pages if page.url.split("?")[0].endswith("/popup"))
    button = page.get_by_role("button", name=t("ui.popup.copy_covered"), exact=True)
    expect(button).to_be_visible()
    copied = page.get_by_text(t("ui.popup.copied_covered", count=1), exact=True).first

    def pressed() -> bool:
        """A click in the very moment of the first frame is not for the page yet."""
        if box := button.bounding_box():
            left, top, _, _ = desktop.geometry(desktop.window(POPUP))
            desktop.click((round(left + box["x"] + box["width"] / 2), round(top + box["y"] + box["height"] / 2)))
            page.wait_for_timeout(2000)
        return copied.is_visible()

    until(pressed, "the copy")
    desktop.screenshot(tmp_path / "popup.png")

    picture = pasted(desktop, "image/png")
    assert picture.size == seen.size and not picture.getexif() and "who this is" not in str(picture.info)
    copy = picture.convert("RGB")
    x, y, w, h = face.box
    inside = (round(x + w / 4), round(y + h / 4), round(x + w * 3 / 4), round(y + h * 3 / 4))
    assert len(copy.crop(inside).getcolors() or []) == 1, "the face is one flat colour"
    # Everything else is the photo: the copy differs only around the face.
    differs = ImageChops.difference(copy, seen).convert("L").point(lambda value: 255 * (value > AWAY)).getbbox()
    assert differs is not None
    assert differs[0] >= x - w / 2 and differs[1] >= y - h / 2 and differs[2] <= x + w * 1.5 and differs[3] <= y + h * 1.5
    copy.save(tmp_path / "pasted.png")
