"""Commands in the home of a team server that does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import CommandLine
    from tests.world import FakeAnalyser


@pytest.mark.parametrize("own", [True, False])
def test_a_command_says_so_and_makes_no_library_beside(cli: CommandLine, own: bool) -> None:
    if own:
        (cli.paths.data / "postgres").mkdir()
    else:
        cli.paths.settings.write_text('[server]\ndatabase = "postgresql://elsewhere/photos"\n')
    for words in (("people", "list"), ("backup", "create"), ("undo",)):
        said = cli(*words)
        assert said.code == 1 and "[server.stopped]" in said.err
    assert not (cli.paths.library / "library.db").exists()


def test_a_desktops_library_in_the_same_home_stays_usable(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> None:
    cli("backup", "create")
    (cli.paths.data / "postgres").mkdir()
    assert cli("people", "list").code == 0
