"""The model store: hashes decide, sources are tried in order, and nothing wrong is kept."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.domain.errors import ModelMissing, ModelUnknown, ModelUnreachable, ModelWrongHash
from agent.features.library.recipes import DETECTORS, EMBEDDER
from agent.features.models import model_store
from agent.features.models.download_sources import DownloadFailed, Report
from agent.features.models.model_store import FetchProgress, ModelState, ModelStore
from agent.infrastructure.core.i18n import LANGUAGES, catalogue
from agent.infrastructure.core.resources import resource
from agent.infrastructure.core.subprocesses import Stop

GOOD, OTHER, BAD = b"good weights", b"other file", b"not what was asked for"
Answers = dict[str, dict[str, bytes]]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.toml"
    path.write_text(
        f"""
[[model]]
name = "one"
role = "detector"
recipe = "one-1"
licence = "MIT"
training_data = "made up"
bytes = {len(GOOD)}
files = {{ "one.onnx" = "{sha256(GOOD)}" }}
sources = ["npm:first@1#a/{{file}}", "https://second/{{file}}"]

[[model]]
name = "two"
role = "samples"
licence = "MIT"
training_data = ""
bytes = {len(GOOD) + len(OTHER)}
files = {{ "a.jpg" = "{sha256(GOOD)}x", "b.jpg" = "{sha256(OTHER)}" }}
sources = ["sdist:first==1#a/{{file}}", "https://second/{{file}}"]
""".replace(f"{sha256(GOOD)}x", sha256(GOOD + b"2"))
    )
    return path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], list[str]]:
    """Puts sources in place that answer from memory; returns the list of those that were asked, which grows."""

    def start(answers: Answers) -> list[str]:
        asked: list[str] = []

        class FakeSource:
            def __init__(self, text: str) -> None:
                self.kind = text.partition(":")[0]

            @contextmanager
            def opened(self, stop: Stop) -> Iterator[Callable[[str, Path, Report], None]]:
                asked.append(self.kind)
                if self.kind not in answers:
                    raise DownloadFailed("away")

                def get(file: str, target: Path, report: Report) -> None:
                    if file not in answers[self.kind]:
                        raise DownloadFailed("no such file")
                    target.write_bytes(answers[self.kind][file])
                    report(len(answers[self.kind][file]))

                yield get

        monkeypatch.setattr(model_store, "DownloadSource", FakeSource)
        return asked

    return start


@pytest.fixture
def store(tmp_path: Path, manifest: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", manifest)


def kept(store: ModelStore) -> list[str]:
    return sorted(path.relative_to(store.folder).as_posix() for path in store.folder.rglob("*") if path.is_file())


def test_a_new_store_lists_everything_as_missing(store: ModelStore) -> None:
    assert [(info.name, info.state) for info in store.list()] == [("one", ModelState.MISSING), ("two", ModelState.MISSING)]
    with pytest.raises(ModelMissing):
        store.path("one")
    with pytest.raises(ModelUnknown):
        store.path("three")


def test_the_first_source_with_the_right_file_wins(store: ModelStore, serve: Callable[[Answers], list[str]]) -> None:
    asked = serve({"npm": {"one.onnx": GOOD}, "https": {"one.onnx": GOOD}})
    assert store.fetch("one").read_bytes() == GOOD
    assert asked == ["npm"]
    assert store.info("one").state is ModelState.PRESENT
    store.fetch("one")
    assert asked == ["npm"], "what is there is not fetched again"


@pytest.mark.parametrize("first", [{}, {"npm": {"one.onnx": BAD}}, {"npm": {}}])
def test_losing_the_first_source_breaks_nothing(store: ModelStore, serve: Callable[[Answers], list[str]], first: Answers) -> None:
    asked = serve({**first, "https": {"one.onnx": GOOD}})
    assert store.fetch("one").read_bytes() == GOOD
    assert asked == ["npm", "https"]
    assert kept(store) == ["one/one.onnx"]


def test_with_no_source_left_the_model_is_unreachable(store: ModelStore, serve: Callable[[Answers], list[str]]) -> None:
    serve({"npm": {"one.onnx": BAD}})
    with pytest.raises(ModelUnreachable) as caught:
        store.fetch("one")
    assert caught.value.params == {"model": "one", "sources": 2}
    assert kept(store) == []


def test_only_when_every_source_has_another_file_the_hash_is_blamed_and_nothing_is_kept(
    store: ModelStore, serve: Callable[[Answers], list[str]]
) -> None:
    serve({"npm": {"one.onnx": BAD}, "https": {"one.onnx": BAD}})
    with pytest.raises(ModelWrongHash):
        store.fetch("one")
    assert kept(store) == []


def test_of_several_files_all_are_kept_or_none(store: ModelStore, serve: Callable[[Answers], list[str]]) -> None:
    both = {"a.jpg": GOOD + b"2", "b.jpg": OTHER}
    serve({"sdist": {**both, "b.jpg": BAD}})
    with pytest.raises(ModelUnreachable):
        store.fetch("two")
    assert kept(store) == []
    serve({"https": both})
    assert store.fetch("two") == store.folder / "two"
    assert kept(store) == ["two/a.jpg", "two/b.jpg"]


def test_progress_counts_the_bytes_of_all_files(store: ModelStore, serve: Callable[[Answers], list[str]]) -> None:
    serve({"https": {"a.jpg": GOOD + b"2", "b.jpg": OTHER}})
    told: list[FetchProgress] = []
    store.fetch("two", told.append)
    assert [progress.received for progress in told if progress.source == "https"] == [0, 13, 23]
    assert {progress.total for progress in told} == {22}


def test_a_damaged_file_is_told_and_fetched_again(store: ModelStore, serve: Callable[[Answers], list[str]]) -> None:
    serve({"npm": {"one.onnx": GOOD}})
    path = store.fetch("one")
    path.write_bytes(BAD)
    assert store.info("one").state is ModelState.DAMAGED
    with pytest.raises(ModelWrongHash):
        store.path("one")
    assert store.fetch("one").read_bytes() == GOOD


def test_verifying_reads_a_file_whose_size_and_time_did_not_change(store: ModelStore, serve: Callable[[Answers], list[str]]) -> None:
    import os

    serve({"npm": {"one.onnx": GOOD}})
    path = store.fetch("one")
    stamp = path.stat()
    path.write_bytes(GOOD[:-1] + b"?")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert store.info("one").state is ModelState.PRESENT
    assert store.verify()[0].state is ModelState.DAMAGED


def test_a_local_file_is_taken_in_by_its_hash_whatever_its_name(store: ModelStore, tmp_path: Path) -> None:
    local = tmp_path / "downloaded (1).bin"
    local.write_bytes(GOOD)
    assert store.add(local).state is ModelState.PRESENT
    assert store.path("one").read_bytes() == GOOD
    assert local.exists()


def test_a_local_file_nobody_knows_is_refused(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(BAD)
    with pytest.raises(ModelUnknown):
        store.add(tmp_path / "x")
    with pytest.raises(ModelMissing):
        store.add(tmp_path / "nowhere")
    assert not store.folder.exists()


def test_the_shipped_manifest_is_sound_and_every_model_tells_its_terms(tmp_path: Path) -> None:
    infos = ModelStore(tmp_path).list()
    assert {info.role for info in infos} == {"detector", "embedder", "samples"}
    for info in infos:
        assert len({source.partition("#")[0].removeprefix("https://").partition("/")[0] for source in info.sources}) >= 2, (
            "independent sources"
        )
        for language in LANGUAGES:
            assert catalogue(language)[f"models.{info.name}.terms"]
    assert {info.recipe for info in infos if info.recipe} == {*DETECTORS.values(), EMBEDDER}
    assert "registry" not in (resource("models") / "manifest.toml").read_text(encoding="utf-8")


def test_a_model_that_the_program_brings_along_is_there_without_a_fetch(store: ModelStore, manifest: Path) -> None:
    bundled = manifest.parent / "one" / "one.onnx"
    bundled.parent.mkdir()
    bundled.write_bytes(GOOD)
    assert store.fetch("one") == bundled and store.info("one").state is ModelState.PRESENT


def test_a_damaged_bundled_model_is_fetched_anew(store: ModelStore, manifest: Path, serve: Callable[[Answers], list[str]]) -> None:
    bundled = manifest.parent / "one" / "one.onnx"
    bundled.parent.mkdir()
    bundled.write_bytes(BAD)
    assert store.info("one").state is ModelState.DAMAGED
    serve({"https": {"one.onnx": GOOD}})
    assert store.fetch("one") == store.folder / "one" / "one.onnx"
