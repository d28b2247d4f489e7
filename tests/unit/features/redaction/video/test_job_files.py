"""What is finished of a clip is there whole or not at all."""

import os
import time
from pathlib import Path

import pytest

from agent.domain.errors import CopyUnwritable
from agent.domain.face import Box
from agent.domain.video import FrameDetections, PartDetections, Piece, Video, VideoDetection, VideoPart
from agent.features.redaction.video.job_files import VideoJobFolder

CLIP = Video("a" * 64, 1000, 640, 480, 1 / 600, 0.04, 50, "mp4", (VideoPart(0, 100), VideoPart(100, 200), VideoPart(200, 300)), sound=True)
SEEN = PartDetections((FrameDetections(3, (VideoDetection(Box(1.5, 2, 3, 4), 0.25),)),), (3,))


def test_what_was_kept_is_there_for_the_next_one_who_asks(tmp_path: Path) -> None:
    job = VideoJobFolder(tmp_path).job(CLIP, "solid")
    assert (job.seen(0), job.drawn(0)) == (None, False)
    job.keep_seen(0, SEEN)
    Path(job.part_output(0)).write_bytes(b"one")
    assert not job.drawn(0)  # it is not said yet that it is whole
    job.keep_part(0)
    again = VideoJobFolder(tmp_path).job(CLIP, "solid")
    assert (again.seen(0), again.drawn(0)) == (SEEN, True)
    assert VideoJobFolder(tmp_path).job(CLIP, "mosaic").seen(0) is None


def test_what_was_half_written_is_begun_anew(tmp_path: Path) -> None:
    job = VideoJobFolder(tmp_path).job(CLIP, "solid")
    Path(job.part_output(1)).write_bytes(b"half")
    assert not Path(job.part_output(1)).exists()


def test_what_can_not_be_read_was_not_seen(tmp_path: Path) -> None:
    job = VideoJobFolder(tmp_path).job(CLIP, "solid")
    job.keep_seen(0, SEEN)
    next(tmp_path.rglob("*.seen")).write_bytes(b'[{"sights": 1}]')
    assert job.seen(0) is None


def test_parts_are_gathered_in_their_order_and_empty_ones_left_out(tmp_path: Path) -> None:
    job = VideoJobFolder(tmp_path).job(CLIP, "solid")
    for number, content in ((2, b"three"), (0, b"one"), (1, b"")):
        Path(job.part_output(number)).write_bytes(content)
        job.keep_part(number)
    made, pieces = job.gather(CLIP.parts)
    assert made.read_bytes() == b"onethree"
    assert pieces == (Piece(0, 0, 3), Piece(200, 3, 5))


def test_a_job_is_removed_with_all_that_was_kept(tmp_path: Path) -> None:
    job = VideoJobFolder(tmp_path).job(CLIP, "solid")
    job.keep_seen(0, SEEN)
    job.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_nobody_came_back_to_goes_with_the_next_one(tmp_path: Path) -> None:
    VideoJobFolder(tmp_path).job(CLIP, "solid").keep_seen(0, SEEN)
    (old,) = tmp_path.iterdir()
    long_ago = time.time() - 15 * 86_400
    os.utime(old, (long_ago, long_ago))
    VideoJobFolder(tmp_path).job(CLIP, "mosaic")
    assert not old.exists()


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CopyUnwritable):
        VideoJobFolder(tmp_path / "file").job(CLIP, "solid")
    job = VideoJobFolder(tmp_path / "jobs").job(CLIP, "solid")
    job.remove()
    with pytest.raises(CopyUnwritable):
        job.keep_seen(0, SEEN)
    with pytest.raises(CopyUnwritable):
        job.keep_part(0)
