"""What comes of the doctor's checks."""

from agent.app.health import examine
from agent.domain.errors import NoTray, StoreDiskFull


def test_one_check_that_fails_keeps_no_other_from_being_made() -> None:
    def full() -> str:
        raise StoreDiskFull

    def absent() -> str:
        raise NoTray

    def broken() -> str:
        raise ZeroDivisionError

    found = examine({"disk": full, "tray": absent, "key": broken, "models": lambda: "there"})
    assert [(each.name, each.state, each.text) for each in found] == [
        ("disk", "failed", ""),
        ("tray", "absent", ""),
        ("key", "failed", ""),
        ("models", "ok", "there"),
    ]
    assert found[2].error is not None and found[2].error.params == {"kind": "ZeroDivisionError"}
