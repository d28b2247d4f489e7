"""Secrets come from a terminal or from standard input, without a warning of Python's."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import click
import pytest

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.secret_input import ask

if TYPE_CHECKING:
    from collections.abc import Callable


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> Callable[[str], str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return lambda question: ask(Texts("en"), question)


def test_a_pipe_answers_question_after_question(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer = piped(monkeypatch, "key id\nsecret key\r\n")
    assert (answer("Key"), answer("Secret")) == ("key id", "secret key")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_pipe_is_refused_with_the_question(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(click.UsageError, match=r"“Recovery code”.*standard input"):
        piped(monkeypatch, text)("Recovery code")
