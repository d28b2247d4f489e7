"""One set-up at a time."""

import threading
from pathlib import Path

from scripts.setup.exclusive import exclusive


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with exclusive(tmp_path / "build" / "lock", waits.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive(tmp_path / "build" / "lock", waits.set):
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
