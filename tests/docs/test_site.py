"""What the documentation's site is built from; `scripts/check` builds it, and warns of nothing."""

import re
from pathlib import Path

import pytest

from scripts.docs_hooks import headings, named_as, slug, staged, there

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Path on the site -> Markdown."""
    folder = staged(tmp_path_factory.mktemp("site") / "docs")
    return {page.relative_to(folder).as_posix(): page.read_text(encoding="utf-8") for page in folder.rglob("*.md")}


def test_a_comment_in_a_command_is_no_heading() -> None:
    assert headings("# One\n```sh\n# no\n```\n## `two` words") == [(0, "One"), (4, "`two` words")]


def test_headings_have_the_ids_of_the_english_ones() -> None:
    assert named_as("# 一\n\n## 二", "# One\n\n## Two words, or three") == "# 一 {#one}\n\n## 二 {#two-words-or-three}\n"
    assert slug("`image.empty`") == "image.empty"


def test_a_heading_that_has_an_id_keeps_it_and_shows_no_other() -> None:
    assert named_as("# 一 {#first}\n\n## 二", "# One {#first}\n\n## Two") == "# 一 {#first}\n\n## 二 {#two}\n"


def test_what_is_not_there_yet_is_not_in_the_navigation(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()
    assert there([{"Start": ["a.md", "later.md"]}, {"Help": ["a.md"]}], tmp_path) == [{"Start": ["a.md"]}, {"Help": ["a.md"]}]


def test_pages_beside_the_docs_and_every_decision_have_a_place(pages: dict[str, str]) -> None:
    assert {"index.md", "index.zh-CN.md", "contributing.md", "security.md", "changelog.md", "decisions/index.zh-CN.md"} <= pages.keys()
    decisions = {name for name in pages if re.match(r"decisions/\d", name)}
    assert decisions == {f"decisions/{name}" for name in re.findall(r"\((\d[^)]*)\)", pages["decisions/index.md"])}


def test_no_link_leads_out_of_the_site_or_to_another_language(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            assert ".zh-CN." not in target, (name, target)
            assert "/".join(Path(name).parent.joinpath(target).parts).count("..") <= name.count("/"), (name, target)


def test_every_page_has_its_place_in_the_navigation(pages: dict[str, str]) -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:")[1]
    missing = [name for name in pages if not name.endswith(".zh-CN.md") and not name.startswith("decisions/0") and name not in navigation]
    assert missing == []
