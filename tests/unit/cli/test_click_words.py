"""In Chinese click says its own words in Chinese, too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from agent.cli.click_words import _NAMES, speak
from agent.i18n import Texts, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.cli.conftest import CommandLine


@pytest.fixture
def chinese() -> Iterator[None]:
    before = {name: vars(module)["_"] for name, module in sys.modules.items() if name.startswith("click.") and "_" in vars(module)}
    speak(Texts("zh-CN"))
    yield
    for name, word in before.items():
        vars(sys.modules[name])["_"] = word


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nonsense"], "没有命令 'nonsense'。"),
        (["run", "--nonsense"], "没有选项 '--nonsense'。"),
        (["config", "set"], "缺少参数"),
        (["models", "add", "/no/such/file"], "不存在。"),
    ],
)
def test_wrong_words_are_named_in_chinese(cli: CommandLine, words: list[str], told: str) -> None:
    said = cli(*words)
    assert said.code == 2 and told in said.err and said.err.startswith("用法: ")
    assert "Error" not in said.err and "for help" not in said.err


@pytest.mark.usefixtures("chinese")
def test_help_is_framed_in_chinese(cli: CommandLine) -> None:
    said = cli("--help")
    assert "用法: ai-popup" in said.out and "选项:" in said.out and "命令:" in said.out


def test_the_english_words_are_those_that_click_asks_for() -> None:
    assert {message: catalogue("en")[f"cli.click.{name}"] for message, name in _NAMES.items()} == {message: message for message in _NAMES}
