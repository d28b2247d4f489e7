"""Text is wrapped by the columns that it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.interfaces.cli.wrapping import cells, padded, wrapped


def test_a_chinese_character_takes_two_columns_and_a_combining_one_none() -> None:
    assert (cells("abc"), cells("照片"), cells("e\u0301"), cells("（1）")) == (3, 4, 1, 5)
    assert padded("照片", 6) == "照片  "


def test_chinese_breaks_anywhere_but_not_before_punctuation() -> None:
    assert wrapped("照片上有多张人脸时，取第几张。", 16) == ["照片上有多张人脸", "时，取第几张。"]
    assert wrapped("照片上有多张人，取", 14) == ["照片上有多张", "人，取"]
    assert wrapped("用“照片”和 `find -0` 查找", 12) == ["用“照片”和", "`find -0` 查", "找"]


def test_english_breaks_at_spaces_and_a_word_that_is_too_long_is_cut() -> None:
    assert wrapped("Find the faces in files", 10) == ["Find the", "faces in", "files"]
    assert wrapped("one\n\ntwo", 10) == ["one", "", "two"]
    assert wrapped("aaaaaaaaaaaaaaa b", 10) == ["aaaaaaaaaa", "aaaaa b"]


@given(st.text(alphabet=st.sampled_from("ab 照片，。（） \n"), max_size=80), st.integers(2, 40))
def test_no_line_is_wider_than_asked_and_no_letter_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("width", [50, 60, 79])
def test_each_helps_lines_fit(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import click

    from agent.app.commands import ai_popup
    from agent.interfaces.cli.command import CommandGroup

    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: __import__("os").terminal_size((width + 1, 20)))

    def told(command: click.Command, context: click.Context) -> None:
        for line in command.get_help(context).splitlines():
            assert cells(line) <= max(width + 1, 54) or line.lstrip().startswith(("ai-popup", "-")), line
        if isinstance(command, CommandGroup):
            for name, inner in command.commands.items():
                told(inner, inner.context_class(inner, info_name=name, parent=context))

    told(ai_popup, ai_popup.context_class(ai_popup, info_name="ai-popup"))
