"""Of clips, only what can be true is believed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.errors import EngineBadAnswer
from agent.domain.face import Box, Quality
from agent.domain.redaction import Look, Reason, Shape, Style
from agent.domain.video import Covered, FrameDetections, Keyframe, PartDetections, Trajectory, Video, VideoDetection, VideoPart, Vote
from agent.inference.engine import video_calls
from agent.inference.engine.video_calls import CLIPS
from agent.inference.engine.video_ports import Joined

CLIP = Video("a" * 64, 1000, 640, 480, 1 / 12800, 0.04, 50, "mp4", (VideoPart(0, 100), VideoPart(100, 200)), True, False, ("subtitles",))
SEEN = PartDetections((FrameDetections(3, (VideoDetection(Box(1, 2, 3, 4), 0.5),)), FrameDetections(9)), (9,))

LOOK = video_calls.VideoLookRequest(VideoPart(0, 10), 0.1)
DRAW = video_calls.Draw(VideoPart(0, 10), (), "mp4")
JOIN = video_calls.Join((), "mp4", strip=False)
PRINTED = PartDetections(
    (FrameDetections(3, (VideoDetection(Box(1, 2, 3, 4), 0.5, UnsavedEmbedding(bytes(range(256)) * 3, Quality(20, 90, 1, -1))),)),), ()
)


def test_what_is_true_comes_back_as_it_was() -> None:
    seen = CLIPS.look.response
    assert CLIPS.look.checked(seen.load(seen.dump(PRINTED)), replace(LOOK, embedder="mobilefacenet-2")) == PRINTED
    assert CLIPS.probe.checked(CLIPS.probe.response.load(CLIPS.probe.response.dump(CLIP)), None) == CLIP
    assert CLIPS.look.checked(seen.load(seen.dump(SEEN)), LOOK) == SEEN
    way = Covered(Trajectory((Keyframe(0, Box(0, 0, 9, 9)), Keyframe(5, Box(2, 2, 9, 9)))), Look(Style.EMOJI, Shape.BOX), Reason.PERSON)
    draw = video_calls.Draw(VideoPart(0, 10), (way,), "webm")
    assert CLIPS.draw.request.load(CLIPS.draw.request.dump(draw)) == draw


@pytest.mark.parametrize(
    "lie",
    [
        {"sha256": "x"},
        {"size": 0},
        {"width": -1},
        {"frames": 0},
        {"tick": 0.0},
        {"zero": -1.0},
        {"zero": float("nan")},
        {"frame": 0.0},
        {"format": "../x"},
        {"parts": ()},
        {"parts": (VideoPart(5, 5),)},
        {"parts": (VideoPart(0, 5), VideoPart(6, 9))},
        {"removed": ("a path/of somebody",)},
        {"removed": ("a",) * 31},
    ],
)
def test_an_impossible_clip_is_none(lie: dict[str, object]) -> None:
    with pytest.raises(EngineBadAnswer):
        CLIPS.probe.checked(replace(CLIP, **lie), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "seen",
    [
        PartDetections((FrameDetections(9), FrameDetections(3)), ()),
        PartDetections((FrameDetections(3), FrameDetections(3)), ()),
        PartDetections((FrameDetections(10),), ()),
        PartDetections((), (10,)),
        PartDetections((), (5, 4)),
        PartDetections((FrameDetections(3, (VideoDetection(Box(1, 2, 0, 4), 0.5),)),), ()),
        PartDetections((FrameDetections(3, (VideoDetection(Box(1, 2, 3, 4), 1.5),)),), ()),
        PartDetections((FrameDetections(3, (VideoDetection(Box(1, 2, 3, 4), 0.5),) * 4001),), ()),
        PartDetections((FrameDetections(3, (VideoDetection(Box(1, 2, 3, 4), 0.5, word=Vote.SHOW),)),), ()),
        PRINTED,  # nobody asked for it
    ],
)
def test_what_can_not_have_been_seen_in_a_part_is_not_believed(seen: PartDetections) -> None:
    with pytest.raises(EngineBadAnswer):
        CLIPS.look.checked(seen, LOOK)


@pytest.mark.parametrize(
    "check",
    [
        lambda: CLIPS.draw.checked(video_calls.DrawnPart(1, 0), DRAW),
        lambda: CLIPS.draw.checked(video_calls.DrawnPart(0, 1), DRAW),
        lambda: CLIPS.draw.checked(video_calls.DrawnPart(-1, 1), DRAW),
        lambda: CLIPS.join.checked(Joined(0, ()), JOIN),
        lambda: CLIPS.join.checked(Joined(1, ("A NAME",)), JOIN),
    ],
)
def test_what_can_not_have_been_written_is_not_believed(check: Callable[[], object]) -> None:
    with pytest.raises(EngineBadAnswer):
        check()
