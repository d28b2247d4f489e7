"""What PyInstaller's folder holds; whether it works is seen where it is installed (test_deb.py)."""

from pathlib import Path

import pytest
from PyInstaller.archive.readers import CArchiveReader  # type: ignore[import-untyped,unused-ignore]

from agent.infrastructure.core.resources import CHECKOUT
from scripts.licences import refused, rules

pytestmark = pytest.mark.timeout(900)  # the first one waits for PyInstaller


def test_all_that_the_program_reads_is_in_it(program: Path) -> None:
    inside = program / "_internal" / "agent" / "_data"
    brought = set(CHECKOUT) - {"build"}  # each package's own word, written beside it
    assert all(any(inside.joinpath(kind).iterdir()) for kind in brought)


def test_what_notifications_read_as_they_are_loaded_is_in_it(program: Path) -> None:
    place = "desktop_notifier/resources"
    assert (program / "_internal" / place / "python.png").is_file()
    modules = CArchiveReader(str(program / "ai-popup")).open_embedded_archive("PYZ.pyz").toc
    assert place.replace("/", ".") in modules


def test_licences_come_along_and_nothing_that_must_not_be_shipped(program: Path) -> None:
    texts = program / "_internal" / "agent" / "_data" / "licences"
    assert {"LICENSE", "NOTICE", "LGPL-3.0.txt", "numpy", "pillow", "svelte"} <= {path.name for path in texts.iterdir()}
    assert list(refused(program, rules())) == []
