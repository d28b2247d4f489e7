"""In Chinese click says its own words in Chinese, too."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from agent.infrastructure.core.i18n import Texts, catalogue
from agent.interfaces.cli.click_texts import _NAMES, speak

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.interfaces.cli.conftest import CommandLine


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    speak(Texts("zh-CN"))
    monkeypatch.setattr("agent.interfaces.cli.command.TEXTS", Texts("zh-CN"))
    monkeypatch.setattr("agent.interfaces.cli.failures.TEXTS", Texts("zh-CN"))
    monkeypatch.setattr("agent.interfaces.cli.click_texts.speak", lambda _: None)  # each command would say English again
    yield
    speak(Texts("en"))


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nonsense"], "没有命令 'nonsense'。"),
        (["run", "--nonsense"], "没有选项 '--nonsense'。"),
        (["config", "set"], "缺少参数"),
        (["models", "add", "/no/such/file"], "不存在。"),
        (["config", "set"], "缺少参数 'KEY'。"),
        (["fnd"], "没有命令 'fnd'。是不是"),
        (["find", "--which", "x"], "'x' 不是整数。"),
        (["find", "--which", "0"], "0 不在范围"),
        (["find", "--person"], "需要一个值。"),
        (["status", "now"], "多余的参数（now）"),
        (["redact", "/", "--style", "pink"], "不在可选值中"),
        (["find", "--folder", __file__], "是文件。"),
    ],
)
def test_wrong_words_are_named_in_chinese(cli: CommandLine, words: list[str], told: str) -> None:
    said = cli(*words)
    assert said.code == 2 and told in said.err
    assert not re.search("Error|for help|Usage|Invalid|valid|Did you|required|requires", said.err)


@pytest.mark.usefixtures("chinese")
def test_help_is_framed_in_chinese(cli: CommandLine) -> None:
    said = cli("people", "--help")
    assert "用法：ai-popup people" in said.out and "选项：" in said.out and "命令：" in said.out


def test_every_word_that_click_says_to_users_is_translated() -> None:
    said: set[str] = set()
    for path in Path(str(click.__file__)).parent.glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        asked = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext")]
        said |= {word.value for call in asked for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    developers = (
        "Value must be",
        "Could not determine",
        "No options defined",
        "Arguments take",
        "Name '",
        "Boolean option",
        "Invalid start",
    )
    unused = (
        "Do you want",
        "Confirm the",
        "%(prog)s",
        "{editor}",
        "Couldn't detect",
        "Shell completion",
        "Press any",
        "Unknown",
        "Windows error",
    )
    more = ("DeprecationWarning", "(dynamic)", "Choice(", "{len_type}", "{value!r} is not a valid UUID")
    assert {word for word in said - _NAMES.keys() if not word.startswith((*developers, *unused, *more))} == set()


def test_the_english_words_are_those_that_click_asks_for() -> None:
    assert {message: catalogue("en")[f"cli.click.{name}"] for message, name in _NAMES.items()} == {message: message for message in _NAMES}
