"""The reference pages."""

from agent.app.setting_fields import setting_fields
from agent.domain.errors import leaves
from scripts.docs_reference import FOLDER, pages


def test_the_pages_are_up_to_date() -> None:
    for name, text in pages().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, name


def test_every_error_and_setting_stands_on_its_page_in_both_languages() -> None:
    made = pages()
    for ending in (".md", ".zh-CN.md"):
        assert all(f"## `{code}`" in made[f"errors{ending}"] for code in leaves())
        assert all(f"| `{key}` |" in made[f"settings{ending}"] for key in setting_fields())
        assert "{" not in made[f"errors{ending}"]
