"""The user of a journey, with a home of their own."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.journey import Journey
from tests.support.real_program import RealProgram


@pytest.fixture
def journey(make_program: Callable[[Mapping[str, str]], RealProgram], samples_folder: Path, tmp_path: Path) -> Journey:
    return Journey(make_program({}), samples_folder, tmp_path)


@pytest.fixture
def journey_in_chinese(make_program: Callable[[Mapping[str, str]], RealProgram], samples_folder: Path, tmp_path: Path) -> Journey:
    program = make_program({"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"})
    program.file.set("general.language", "zh-CN")
    return Journey(program, samples_folder, tmp_path)
