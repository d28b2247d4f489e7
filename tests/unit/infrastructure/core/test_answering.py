"""A drive that hangs, or gives errors, is told from a path that is not there."""

import errno
import os
import threading
from pathlib import Path

import pytest

from agent.domain.errors import SourceNoAnswer, SourceUnreachable
from agent.infrastructure.core.abandonable_calls import answered


def test_an_answer_is_no_error_whatever_it_says_of_the_path(tmp_path: Path) -> None:
    answered(lambda: tmp_path.stat())
    answered(lambda: (tmp_path / "none").stat())
    answered(lambda: os.stat("a\0b"))  # noqa: PTH116 - no path can be that


def test_what_the_question_raises_by_itself_is_raised() -> None:
    def question() -> None:
        raise SourceUnreachable

    with pytest.raises(SourceUnreachable):
        answered(question)


def test_a_drive_with_errors_or_without_an_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError(errno.EIO, "")

    with pytest.raises(SourceNoAnswer):
        answered(fails)
    monkeypatch.setattr("agent.infrastructure.core.abandonable_calls.COMMAND_ANSWER_S", 0.01)
    end = threading.Event()
    with pytest.raises(SourceNoAnswer):
        answered(lambda: end.wait(60))
    end.set()
