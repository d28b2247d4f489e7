"""What the pages point at exists: files, error codes, settings; and both languages say the same."""

import re
import shlex
from pathlib import Path
from typing import cast
from unittest.mock import MagicMock

import click
import pytest

from agent.app.checkup import checks, diagnostics_context
from agent.app.commands import ai_popup
from agent.app.server.network_checks import NAMES
from agent.domain.errors import leaves
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from scripts.docs_hooks import headings, slug
from scripts.setup.system import QT_LIBRARIES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CHINESE = [page.relative_to(ROOT).as_posix() for page in PAGES if page.name.endswith(".zh-CN.md") and page.parent.name != "reference"]
PAIRS = [(page.replace(".zh-CN.md", ".md"), page) for page in CHINESE]
GUIDE = [page for page in PAGES if page.parent.name == "guide" or page.name.startswith(("troubleshooting", "redaction", "best-practices"))]


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


@pytest.mark.parametrize("page", CHINESE)
def test_a_chinese_sentence_does_not_end_a_line_of_its_paragraph(page: str) -> None:
    """A line break is shown as a space, which Chinese does not have there."""
    prose = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)
    broken = re.findall(r"^(?![|#<>])(.*[。；：，、！？）”])\n(?!\s*(?:[|#<>!$-]|\d+\. |$))", prose, re.MULTILINE)
    assert [line[-20:] for line in broken] == []


def test_a_page_of_the_guide_is_there_in_both_languages() -> None:
    names = {page.name for page in GUIDE}
    assert {name.replace(".zh-CN.md", ".md") for name in names} == {name for name in names if not name.endswith(".zh-CN.md")}
    assert len(names) > 20 and {name.replace(".md", ".zh-CN.md") for name in names if not name.endswith(".zh-CN.md")} <= names


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_error_codes_and_settings_in_the_guide_exist(page: Path) -> None:
    known = {
        f"{section}.{key}" for section, field in Settings.model_fields.items() for key in getattr(field.annotation, "model_fields", {})
    }
    words = set(re.findall(r"`([a-z]+\.[a-z_]+)`", read(page)))
    assert words <= known | leaves().keys()


@pytest.mark.parametrize("ending", [".md", ".zh-CN.md"])
def test_whatever_the_doctor_looks_at_has_its_part_in_troubleshooting(ending: str) -> None:
    standing = diagnostics_context(MagicMock(), MagicMock(), Texts)
    looked_at = checks(
        standing, Texts, engine=MagicMock(), wall=MagicMock(), running={"agent": MagicMock(), "memory": MagicMock()}, updates=MagicMock()
    ).keys()
    parts = [slug(words) for _, words in headings(read("docs/troubleshooting.md"))]
    assert looked_at | {"certificate", *NAMES} <= set(parts)
    assert len(parts) == len(headings(read(f"docs/troubleshooting{ending}")))


def test_the_guide_names_the_libraries_that_the_tests_install() -> None:
    page = read("docs/guide/without-a-desktop.md")
    line = next(line for line in " ".join(page.replace("\\\n", "").split("```")).split("\n") if "apt install" in line)
    assert line.split("apt install")[1].split() == QT_LIBRARIES


@pytest.mark.parametrize("page", [page for pair in PAIRS for page in pair])
def test_the_commands_exist(page: str) -> None:
    shown = {tuple(words.split()) for words in re.findall(r"ai-popup ((?:[a-z-]+ ?){1,2})", read(page))}
    assert len(shown) > 5 or not page.startswith("README")
    for words in shown:
        command = ai_popup.commands.get(words[0])
        assert command is not None, words
        if isinstance(command, click.Group) and len(words) > 1:
            assert words[1] in command.commands, words


SET = cast(click.Group, ai_popup.commands["config"]).commands["set"]


def refusal(line: str, *, whole: bool) -> str | None:
    """What the program would say to this command line; `whole`: a reader copies it, so that what is required must be there."""
    words = shlex.split(line.removeprefix("ai-popup "), comments=True)
    command: click.Command = ai_popup
    context = click.Context(command)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
        context = click.Context(command, context)
    words = words[: next((number for number, word in enumerate(words) if word in (*"<>|…", "&&", ">>")), len(words))]
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(words))
        for parameter in command.params:
            value = given.get(str(parameter.name))
            if isinstance(parameter.type, click.Choice) and isinstance(value, str) and re.fullmatch("[a-z_-]+", value):
                parameter.type_cast_value(context, value)
    except click.UsageError as error:
        return error.message
    missing = [parameter.name for parameter in command.params if whole and parameter.required and given.get(parameter.name) in (None, ())]
    if rest or missing:
        return f"too much: {rest}, missing: {missing}"
    if command is SET and words and words[0].islower():
        section, _, key = words[0].partition(".")
        return None if key in getattr(Settings.model_fields[section].annotation, "model_fields", {}) else f"no setting {words[0]}"
    return None


@pytest.mark.parametrize("page", [page for pair in PAIRS for page in pair])
def test_the_commands_can_be_typed_as_they_are_shown(page: str) -> None:
    text = read(page).replace("\\\n", " ")
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL)
    copied = {line.strip() for block in blocks for line in block.splitlines()}
    named = {span.strip() for span in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))}
    shown = {line: line in copied for line in copied | named if line.startswith("ai-popup ")}
    assert {line: why for line, whole in shown.items() if (why := refusal(line, whole=whole))} == {}
