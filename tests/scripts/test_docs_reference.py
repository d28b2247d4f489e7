"""The reference pages."""

import click

from agent.app.commands import ai_popup
from agent.domain.errors import leaves
from agent.infrastructure.core.setting_fields import setting_fields
from scripts import api_reference
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
        assert "scopes." not in made[f"access{ending}"]  # a key whose words are missing


def test_every_command_stands_on_its_page_in_the_language_of_the_page() -> None:
    made = pages()
    groups = {name: group for name, group in ai_popup.commands.items() if isinstance(group, click.Group)}
    names = [f"{name} {inner}" for name, group in groups.items() for inner, command in group.commands.items() if not command.hidden]
    for ending, words in ((".md", "Make a backup now."), (".zh-CN.md", "立即备份")):
        assert all(f"`ai-popup {name}`" in made[f"commands{ending}"] for name in [*ai_popup.commands, *names])
        assert words in made[f"commands{ending}"]


def test_requests_lead_to_what_they_take_and_give() -> None:
    page = api_reference.page("en")
    assert "| `POST /api/captures` | [`CaptureRequest`](#capturerequest) | [`CaptureOut`](#captureout) |" in page
    assert "### `CaptureOut`" in page
