"""The status page in a real browser: figures, the program's own checks, and a support bundle without names."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

# For long tests whose steps are the same in Chinese; other tests of this page run in both languages.
IN_ENGLISH = pytest.mark.parametrize("language", ["en"])

Photo = Callable[[int], Image.Image]


@pytest.fixture(scope="module")
def visitor(
    make_module_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"], photo: Photo
) -> "Visitor":
    program = make_module_program({})
    program.file.set("engine.max_megapixels", "5")
    program.start()
    for number in range(2):
        photo(number).save(program.watched / f"Grandmother {number}.jpg")
    (program.watched / "Secret.jpg").write_bytes(b"not a picture at all")
    program.settled(2, failed=1)
    visitor = visit(program)
    visitor.sign_in()
    return visitor


def test_the_status_page_tells_how_the_program_fares(visitor: "Visitor", language: str) -> None:
    visitor.go("#status", language)
    for title in ("engine", "device", "queue", "library"):
        visitor.says(visitor.t(f"status.{title}.title"))
    visitor.says("CenterFace")
    visitor.says("Secret.jpg")
    expect(visitor.page.locator(".plot polyline")).not_to_have_count(0)
    visitor.right()


@IN_ENGLISH
def test_the_checks_run_and_say_what_they_found(visitor: "Visitor", language: str) -> None:
    visitor.go("#status", language)
    visitor.button("status.check").click()
    checks = visitor.page.get_by_role("region", name=visitor.t("status.checks.title"))
    expect(checks.get_by_role("listitem")).not_to_have_count(0)
    visitor.says(visitor.t("status.checks.all_right"))
    visitor.right()


@IN_ENGLISH
def test_the_support_bundle_holds_no_path_and_no_name(visitor: "Visitor", language: str) -> None:
    visitor.go("#status", language)
    with visitor.page.expect_download() as started:
        visitor.named("link", "status.bundle").click()
    assert started.value.suggested_filename == "ai-popup-support.zip"
    with zipfile.ZipFile(io.BytesIO(started.value.path().read_bytes())) as bundle:
        contents = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert contents
    program = visitor.program
    private = ("Grandmother", "Secret", program.watched.name, str(program.home), str(program.watched.parent))
    for name, content in contents.items():
        assert [word for word in private if word in content or json.dumps(word)[1:-1] in content] == [], name


def test_a_problem_stands_on_the_status_page_too(visitor: "Visitor", language: str) -> None:
    visitor.go("#status", language)
    row = visitor.page.get_by_role("listitem").filter(has_text="Secret.jpg")
    expect(row.get_by_role("button")).to_be_visible()
    expect(row.get_by_text("image.")).to_be_visible()


def test_a_file_over_a_limit_leads_to_the_limit(visitor: "Visitor", photo: Photo) -> None:
    program = visitor.program
    photo(0).resize((3000, 2000)).save(program.watched / "Panorama.jpg")
    program.until(lambda status: status.failed == 2 and not status.queued)
    visitor.go("#status", "en")
    row = visitor.page.get_by_role("listitem").filter(has_text="Panorama.jpg")
    row.get_by_role("button").click()
    expect(visitor.page.locator('[data-key="engine.max_megapixels"] input')).to_be_focused()
    expect(visitor.page).to_have_url(re.compile("#settings/engine.max_megapixels$"))
