"""The profiles that are shipped."""

from pathlib import Path

from scripts.validate_configs import FOLDER, faults


def test_the_shipped_profiles_are_valid() -> None:
    assert faults(FOLDER) == []


def test_each_fault_is_named(tmp_path: Path) -> None:
    (tmp_path / "prod.toml").write_text("[popup]\nseconds = 0\ncolour = 1")
    (tmp_path / "dev.toml").write_text("nonsense")
    (tmp_path / "staging.toml").write_text("[popup]\nseconds = 12\nburst = 7")
    (tmp_path / "test.toml").write_text("")
    assert [fault.partition(":")[0] for fault in faults(tmp_path)] == [
        "test.toml is no profile",
        "dev.toml",
        "prod.toml",
        "prod.toml",
        "staging.toml",
    ]
    assert faults(tmp_path)[-1] == "staging.toml: popup.seconds says the default again"
    (tmp_path / "prod.toml").unlink()
    assert "prod.toml is missing" in faults(tmp_path)
