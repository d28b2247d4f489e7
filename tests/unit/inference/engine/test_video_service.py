"""Clips in the engine."""

import os
import sys
from pathlib import Path

import pytest

from agent.domain.errors import ImageUnreadable, VideoMissing
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.engine_worker import offer_videos
from agent.inference.engine.rpc_worker import RpcWorker
from agent.inference.engine.service import Engine


@pytest.fixture
def worker(tmp_path: Path) -> RpcWorker:
    worker = RpcWorker()
    offer_videos(worker, Engine(EngineConfig({}, converted=str(tmp_path / "ir"), cache=str(tmp_path / "cache")), lambda: 0.0))
    return worker


def test_without_the_extra_it_is_said_that_it_is_missing(worker: RpcWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each == "av" or each.startswith(("av.", "agent.inference.vision.video."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "clip").write_bytes(b"clip")
    descriptor = os.open(tmp_path / "clip", os.O_RDONLY)
    with pytest.raises(VideoMissing):
        worker.answer("clip_probe", None, [descriptor])
    with pytest.raises(OSError, match=r"descriptor|[Hh]andle"):
        os.fstat(descriptor)  # it is closed


def test_a_request_without_its_files_is_refused_and_closes_those_it_has(worker: RpcWorker, tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(b"clip")
    descriptor = os.open(tmp_path / "clip", os.O_RDONLY)
    with pytest.raises(ImageUnreadable):
        worker.answer("clip_draw", None, [descriptor])
    with pytest.raises(OSError, match=r"descriptor|[Hh]andle"):
        os.fstat(descriptor)
