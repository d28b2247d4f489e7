"""What engines load is made where no photo is seen, and nothing that was changed since is ever loaded."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.domain.errors import StoreUnwritable
from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.model_preparer import ModelPreparer

# Leaves what an engine's process would leave, and a mark that it was asked.
FAKE = """
import json, pathlib, sys
request = json.loads(sys.stdin.readline())
with open(sys.argv[1], "a") as marks: marks.write(request["op"] + "\\n")
if len(sys.argv) > 2: raise SystemExit(int(sys.argv[2]))
for folder, name in (("converted", "net.xml"), ("converted", "net.bin"), ("cache", "1.blob")):
    place = pathlib.Path(request["body"][folder])
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(name.encode())
print(json.dumps({"id": request["id"], "body": True}), flush=True)
sys.stdin.read()
"""
CONFIG = EngineConfig({"yunet-1": ModelFile("yunet", "/models/yunet.onnx", "0" * 64)}, converted="", cache="")


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    return tmp_path / "marks"


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    return tmp_path / "models" / "prepared"


@pytest.fixture
def make(prepared: Path, marks: Path) -> Callable[..., ModelPreparer]:
    """As each start of the agent makes one."""

    def preparer(*code: str, earlier: tuple[Path, ...] = ()) -> ModelPreparer:
        return ModelPreparer(prepared, [sys.executable, "-S", "-c", FAKE, str(marks), *code], earlier=earlier)

    return preparer


def ready(preparer: ModelPreparer, config: EngineConfig) -> EngineConfig:
    return asyncio.run(preparer.ready(config))


def content(config: EngineConfig) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for folder in (config.converted, config.cache) for path in Path(folder).iterdir()}


WHOLE = {"net.xml": b"net.xml", "net.bin": b"net.bin", "1.blob": b"1.blob"}


def test_it_is_made_once_and_serves_later_starts(make: Callable[..., ModelPreparer], marks: Path) -> None:
    for _ in range(3):
        assert content(ready(make(), CONFIG)) == WHOLE
    assert marks.read_text() == "prepare\n"


@pytest.mark.parametrize("name", ["ir/net.xml", "ir/net.bin", "kernels/1.blob", "kernels/2.blob", "hashes.json"])
def test_what_was_changed_or_added_is_made_anew(make: Callable[..., ModelPreparer], marks: Path, prepared: Path, name: str) -> None:
    ready(make(), CONFIG)
    (place,) = prepared.iterdir()
    (place / name).write_bytes(b"{}")
    assert content(ready(make(), CONFIG)) == WHOLE
    assert marks.read_text() == "prepare\n" * 2


def test_each_model_device_and_number_of_threads_has_its_own_and_old_ones_go(
    make: Callable[..., ModelPreparer], marks: Path, prepared: Path
) -> None:
    preparer = make()
    other = {"yunet-1": replace(CONFIG.models["yunet-1"], sha256="1" * 64)}
    for config in (CONFIG, replace(CONFIG, models=other), *(replace(CONFIG, threads=threads) for threads in range(2, 7))):
        assert content(ready(preparer, config)) == WHOLE
    assert marks.read_text() == "prepare\n" * 7
    assert len(list(prepared.iterdir())) == 4


def test_where_it_cannot_be_made_the_engine_does_without(make: Callable[..., ModelPreparer], marks: Path, prepared: Path) -> None:
    preparer = make("3")
    for _ in range(2):
        assert ready(preparer, replace(CONFIG, converted="/old/ir", cache="/old/kernels")) == CONFIG
    assert marks.read_text() == "prepare\n", "not again before the next start"
    assert not prepared.exists() or not list(prepared.iterdir())


def test_why_it_cannot_be_made_is_logged_by_its_code(make: Callable[..., ModelPreparer], prepared: Path) -> None:
    prepared.parent.write_bytes(b"no folder")
    with capture_logs() as logs:
        ready(make(), CONFIG)
    assert [(each["event"], each["code"]) for each in logs if each["log_level"] == "warning"] == [
        ("models.unprepared", StoreUnwritable.code)
    ]


def test_without_models_there_is_nothing_to_make(make: Callable[..., ModelPreparer], marks: Path) -> None:
    assert ready(make(), replace(CONFIG, models={})) == replace(CONFIG, models={})
    assert not marks.exists()


def test_what_engines_of_earlier_versions_could_write_is_removed(make: Callable[..., ModelPreparer], tmp_path: Path) -> None:
    old = tmp_path / "ir"
    old.mkdir()
    (old / "net.xml").touch()
    ready(make(earlier=(old,)), CONFIG)
    assert not old.exists()
