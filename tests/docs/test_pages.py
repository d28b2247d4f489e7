"""What the pages point at exists: files, error codes, settings; and both languages say the same."""

import re
from pathlib import Path

import click
import pytest

from agent.cli.commands import ai_popup
from agent.domain.errors import leaves
from agent.settings import Settings
from scripts.setup.system import QT_LIBRARIES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GUIDES = [("README.md", "README.zh-CN.md"), ("docs/guide.md", "docs/guide.zh-CN.md")]
POLICIES = [("docs/privacy.md", "docs/privacy.zh-CN.md"), ("docs/privacy-assessment.md", "docs/privacy-assessment.zh-CN.md")]
UPDATES = [("docs/updates.md", "docs/updates.zh-CN.md")]
PAIRS = [*GUIDES, *POLICIES, *UPDATES]


def read(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands(page: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", read(page), re.DOTALL)
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", read(page))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_show_the_same_commands_and_as_many_sections(english: str, chinese: str) -> None:
    assert commands(english) == commands(chinese)
    assert read(english).count("\n## ") == read(chinese).count("\n## ")
    assert read(english).count("\n|") == read(chinese).count("\n|")


@pytest.mark.parametrize("page", ["docs/guide.md", "docs/guide.zh-CN.md"])
def test_error_codes_and_settings_in_the_guide_exist(page: str) -> None:
    known = {
        f"{section}.{key}" for section, field in Settings.model_fields.items() for key in getattr(field.annotation, "model_fields", {})
    }
    words = set(re.findall(r"`([a-z]+\.[a-z_]+)`", read(page)))
    assert len(words) > 10
    assert words <= known | leaves().keys()


def test_the_guide_names_the_libraries_that_the_tests_install() -> None:
    line = next(line for line in " ".join(read("docs/guide.md").replace("\\\n", "").split("```")).split("\n") if "apt install" in line)
    assert line.split("apt install")[1].split() == QT_LIBRARIES


@pytest.mark.parametrize("page", [page for pair in PAIRS for page in pair])
def test_the_commands_exist(page: str) -> None:
    shown = {tuple(words.split()) for words in re.findall(r"ai-popup ((?:[a-z-]+ ?){1,2})", read(page))}
    assert len(shown) > 5 or page not in {page for pair in GUIDES for page in pair}
    for words in shown:
        command = ai_popup.commands.get(words[0])
        assert command is not None, words
        if isinstance(command, click.Group) and len(words) > 1:
            assert words[1] in command.commands, words
