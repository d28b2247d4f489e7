"""People and their confirmed faces as files for other programs."""

import io

import pytest

from agent.features.people.export_files import FaceRow, read, write_csv


def face(person: str) -> FaceRow:
    return FaceRow(person, "0" * 64, 1.0, 2.0, 3.0, 4.0)


FORMULAS = ["=cmd|' /C calc'!A0", "+1+cmd", "-1+cmd", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1+1", "－1+1", "＠SUM(1)"]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_name_is_a_formula_in_a_spreadsheet(name: str) -> None:
    """Chinese and Japanese ones take full-width signs for the same."""
    file = io.StringIO()
    write_csv([face(name)], file)
    assert file.getvalue().split("\r\n", 1)[1].lstrip('"').startswith("'")


@pytest.mark.parametrize("name", ["=1", "'=1", "''=1", "'", "'t Hooft", "-1", "－1", "Mei"])
def test_a_name_comes_back_as_it_was(name: str) -> None:
    file = io.StringIO()
    write_csv([face(name)], file)
    assert list(read(io.StringIO(file.getvalue(), newline=""))) == [face(name)]
