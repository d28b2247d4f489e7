"""Which files go with a database, and how they come back."""

from pathlib import Path

from agent.infrastructure.core.paths import AppPaths
from agent.server.backups.file_sets import put_settings


def test_each_restore_keeps_the_settings_that_were_there_beside_those_of_earlier_ones(tmp_path: Path) -> None:
    paths = AppPaths(*(tmp_path / each for each in ("config", "data", "cache", "run", "logs"))).create()
    restored = tmp_path / "settings.toml"
    for content in ("typed here", "first", "second", "third"):
        restored.write_text(content)
        put_settings(restored, paths)
    put_settings(restored, paths)  # a backup without settings

    kept = {each.name: each.read_text() for each in paths.config.iterdir()}
    assert kept == {
        "settings.toml": "third",
        "settings.toml.before-restore": "typed here",
        "settings.toml.before-restore-2": "first",
        "settings.toml.before-restore-3": "second",
    }
