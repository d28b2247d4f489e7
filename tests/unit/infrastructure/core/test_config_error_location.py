"""Which line of a settings file an error is about."""

import pytest

from agent.infrastructure.core.config_error_location import line_of

FILE = """\
# my settings
general.language = "en"

[popup]
seconds = 1  # short
corner = "middle"

[[folders]]
path = "~/a"

[[folders]]
recursive = true
exclude = [
    "a",
    "b",
]
include = "x"

[engine]
wokers = 2
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("general.language", 2),
        ("popup", 4),
        ("popup.seconds", 5),
        ("popup.corner", 6),
        ("folders[0].path", 9),
        ("folders[1].exclude", 13),
        ("folders[1].include", 17),
        ("engine.wokers", 20),
    ],
)
def test_the_line_where_a_setting_begins(key: str, line: int) -> None:
    assert line_of(FILE, key) == line


def test_what_is_missing_is_missing_from_its_table() -> None:
    assert line_of(FILE, "folders[1].path") == 11


@pytest.mark.parametrize(("text", "key"), [(FILE, "logs.level"), ("[popup\n", "popup.seconds"), ("", "popup.seconds"), (FILE, "")])
def test_what_is_nowhere_has_no_line(text: str, key: str) -> None:
    assert line_of(text, key) is None


def test_a_huge_file_is_not_searched() -> None:
    assert line_of("# more\n" * 2_000 + "[popup]\nseconds = 1\n", "popup.seconds") is None
