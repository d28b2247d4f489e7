"""Paths on the command line, which Windows' shells pass on as they were typed."""

import os
import sys
from pathlib import Path

import click
import pytest

from agent.interfaces.cli.params import Paths, There


@click.command()
@click.argument("paths", nargs=-1, required=True, cls=Paths, type=There())
def command(paths: tuple[str, ...]) -> tuple[str, ...]:
    return paths


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with photos, which is the current folder."""
    for name in ("b.jpg", "a.jpg", "c.png", "IMG [1] a.jpg", "IMG 1 b.jpg", "~x.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.jpg").touch()
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "win32")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("?.jpg", ["a.jpg", "b.jpg"]),
        ("inner/*", [str(Path("inner/d.jpg"))]),
        ("IMG [1]*", ["IMG [1] a.jpg"]),
        ("IMG [1] a.jpg", ["IMG [1] a.jpg"]),
        ("~x.jpg", ["~x.jpg"]),
    ],
)
def test_wildcards_stand_for_the_files_that_have_such_names(photos: Path, typed: str, found: list[str]) -> None:
    assert [os.path.normpath(path) for path in command.main([typed], standalone_mode=False)] == found


def test_a_tilde_stands_for_the_home(photos: Path) -> None:
    assert [Path(path) for path in command.main(["~/a.jpg", "~/inn*"], standalone_mode=False)] == [photos / "a.jpg", photos / "inner"]


def test_wildcards_that_nothing_has_are_named_as_they_were_typed(photos: Path) -> None:
    with pytest.raises(click.BadParameter, match=r"\*\.gif"):
        command.main(["*.gif"], standalone_mode=False)


def test_elsewhere_the_shell_has_done_so(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(click.BadParameter):
        command.main(["*.jpg"], standalone_mode=False)
