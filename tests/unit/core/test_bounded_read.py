"""Files of others are read with a bound, and nothing but files."""

import os
import sys
from pathlib import Path

import pytest

from agent.core.bounded_read import NotRegular, TooLong, open_regular, read_regular


def test_a_file_is_read_whole_up_to_the_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1234")
    data, facts = read_regular(tmp_path / "a", 4)
    assert data == b"1234" and facts.st_size == 4
    with pytest.raises(TooLong):
        read_regular(tmp_path / "a", 3)


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(NotRegular):
            open_regular(path)
