"""Windows gets the paths that it would read otherwise in the form that it takes as it is, and a user's path has no such mark."""

import sys

import pytest

from agent.infrastructure.core.extended_paths import plain, verbatim

LONG = "C:\\Photos" + r"\a folder with a name that takes its time" * 6


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (r"C:\Photos\a.jpg", r"C:\Photos\a.jpg"),
        (r"C:\Photos\console.jpg", r"C:\Photos\console.jpg"),
        (r"C:\Photos\.hidden\a.b.jpg", r"C:\Photos\.hidden\a.b.jpg"),
        (r"C:\Photos\CON.jpg", r"\\?\C:\Photos\CON.jpg"),
        (r"C:\Photos\nul\a.jpg", r"\\?\C:\Photos\nul\a.jpg"),
        (r"C:\Photos\lpt1.tar.jpg", r"\\?\C:\Photos\lpt1.tar.jpg"),
        (r"C:\Photos\NUL .jpg", r"\\?\C:\Photos\NUL .jpg"),
        (r"C:\Photos\COM².jpg", r"\\?\C:\Photos\COM².jpg"),
        (r"C:\Photos\conin$", r"\\?\C:\Photos\conin$"),
        (r"C:\Photos\con in.jpg", r"C:\Photos\con in.jpg"),
        (r"C:\2024.\a.jpg", r"\\?\C:\2024.\a.jpg"),
        ("C:\\Photos\\a.jpg ", "\\\\?\\C:\\Photos\\a.jpg "),
        (r"\\server\share\2024.\a.jpg", r"\\?\UNC\server\share\2024.\a.jpg"),
        (LONG, "\\\\?\\" + LONG),
        ("s3://source/2024./a.jpg", "s3://source/2024./a.jpg"),
    ],
)
def test_a_path_that_windows_would_read_otherwise_is_marked(path: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verbatim(path) == path or sys.platform == "win32"
    monkeypatch.setattr(sys, "platform", "win32")
    assert (verbatim(path), verbatim(named)) == (named, named)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (r"\\?\C:\Photos", r"C:\Photos"),
        (r"\\?\UNC\server\share\Photos", r"\\server\share\Photos"),
        (r"\\?\unc\server\share", r"\\server\share"),
        (r"\\?\Volume{1}\Photos", r"\\?\Volume{1}\Photos"),
        (r"\\server\share", r"\\server\share"),
        (r"C:\Photos", r"C:\Photos"),
    ],
)
def test_a_path_has_no_mark_if_it_can_be_without(path: str, found: str) -> None:
    assert plain(path) == found
