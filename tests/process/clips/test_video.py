"""Clips of many kinds, covered part by part and joined again; what came out is told by ffprobe, a program of its own."""

import io
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.domain.errors import VideoNoPicture, VideoUnreadable
from agent.domain.face import Box, Landmarks
from agent.domain.redaction import Look, Style
from agent.domain.tracks import trails_of
from agent.domain.video import Covered, Piece, Video, VideoDetection, is_clip, is_same_frame, parts_of_copy
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.detection import Detection
from agent.inference.vision.video import probe as probing
from agent.inference.vision.video.part_detection import look_through
from agent.inference.vision.video.part_joiner import join
from agent.inference.vision.video.part_writer import write_part
from agent.inference.vision.video.probe import probe
from agent.inference.vision.video.verification import prove_part
from agent.inference.vision.video.video_opening import frames, moment_of
from tests.support.synthetic_clips import Made, changing_clip, look, made_clip, place, red_share

LIMITS = DecodeLimits(megapixels=50, megabytes=100)
TAGS = (("title", "Mei"), ("creation_time", "2026-01-02T03:04:05Z"), ("location", "+48.1+11.5/"), ("make", "Phone"))


@dataclass(frozen=True)
class Copy:
    clip: Video
    path: Path
    removed: tuple[str, ...]


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that small clips have several."""
    monkeypatch.setattr(probing, "SHORTEST_S", 0.4)


def redacted(path: Path, *, style: Style = Style.SOLID, strip: bool = False) -> Copy:
    with path.open("rb") as file:
        clip = probe(file, LIMITS)
        seen = [look_through(file, part, clip.tick, look) for part in clip.parts]
        trails = trails_of(
            [sight for each in seen for sight in each.sights],
            [cut for each in seen for cut in each.cuts],
            (clip.width, clip.height),
            clip.tick,
            clip.frame,
            (clip.parts[0].start, clip.parts[-1].end),
        )
        ways = [each.way for each in trails]
        made, pieces = io.BytesIO(), []
        for part in clip.parts:
            output = io.BytesIO()
            within = [Covered(way, Look(style)) for each in ways if (way := each.within(part)) is not None]
            write_part(file, part, within, clip.format, output)
            pieces.append(Piece(part.start, made.tell(), len(output.getvalue())))
            made.write(output.getvalue())
        target = path.with_name(f"copy.{clip.format}")
        with target.open("wb") as output_file:
            written = join(file, made, pieces, clip.format, output_file, strip=strip)
        with target.open("rb") as copy:
            shown = [prove_part(file, copy, part, [Covered(way, Look(style)) for way in ways]) for part in parts_of_copy(clip)]
            assert (sum(each.frames for each in shown), len(ways) > 0) == (written.frames, True)
            assert is_same_frame(clip, max(each.last for each in shown), written.last)
    return Copy(clip, target, written.removed)


def ffprobe(path: Path, *asked: str) -> dict[str, Any]:
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *asked, str(path)], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def times(path: Path, kind: str = "v") -> list[float]:
    said = ffprobe(path, "-select_streams", f"{kind}:0", "-show_entries", "packet=pts_time,dts_time")
    return sorted(float(packet.get("pts_time", packet.get("dts_time"))) for packet in said["packets"])


def stream(path: Path, kind: str = "v") -> dict[str, Any]:
    found: Sequence[dict[str, Any]] = ffprobe(path, "-select_streams", f"{kind}:0", "-show_streams")["streams"]
    return found[0] if found else {}


def shows_red(path: Path) -> float:
    """The most that any frame shows of it."""
    with av.open(str(path)) as container:
        return max(red_share(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)) for frame in container.decode(video=0))


KINDS = {
    "plain": Made(),
    "silent": Made(sound=None),
    "odd": Made(size=(321, 241), form="yuv444p"),
    "ten_bits": Made(form="yuv420p10le"),
    "variable_rate": Made(moments=[0, 7, 31, 32, 90, 200, 201, 202, 260, *range(300, 900, 37), 1500, 1501]),
    "late_frames": Made(options=(("g", "12"), ("bf", "3"), ("b-pyramid", "normal"))),
    "open_groups": Made(options=(("g", "12"), ("bf", "3"), ("x264-params", "open-gop=1:scenecut=0"))),
    "one_key": Made(options=(("g", "500"), ("sc_threshold", "0"))),
    "interlaced": Made(options=(("g", "12"), ("x264-params", "tff=1"))),
    "hevc": Made(codec="libx265", options=(("g", "12"), ("x265-params", "log-level=none"))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_all_is_covered_and_each_frame_is_shown_when_it_was(tmp_path: Path, kind: str) -> None:
    original = made_clip(tmp_path / "clip.mp4", KINDS[kind])
    copy = redacted(original)
    assert shows_red(original) > 0.01
    assert shows_red(copy.path) == 0
    assert times(copy.path) == times(original)
    assert stream(copy.path)["codec_name"] == "h264"
    assert copy.clip.truncated is False


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv"])
def test_the_last_frame_is_shown_for_as_long_as_it_was(tmp_path: Path, name: str) -> None:
    """A recording of a screen that stands still at its end has one frame for all of that."""
    made, original = made_clip(tmp_path / f"made-{name}", Made(sound=None, options=(("g", "12"), ("bf", "0")))), tmp_path / name
    with av.open(str(made)) as given, av.open(str(original), "w") as output:
        target = output.add_stream_from_template(given.streams.video[0])
        found = [packet for packet in given.demux(video=0) if packet.size]
        found[-1].duration = round(3 / found[-1].time_base)
        for packet in found:
            packet.stream = target
            output.mux(packet)

    def lasts(path: Path) -> float:
        return float(ffprobe(path, "-show_entries", "format=duration")["format"]["duration"])

    assert lasts(original) > 4.9
    assert lasts(redacted(original).path) == pytest.approx(lasts(original), abs=0.01)


def test_parts_that_begin_anywhere_show_the_frames_that_the_whole_shows(tmp_path: Path) -> None:
    """In a clip with one key frame, and in one whose groups are open."""
    for kind in ("one_key", "open_groups", "late_frames"):
        path = made_clip(tmp_path / f"{kind}.mp4", KINDS[kind])
        with path.open("rb") as file:
            clip = probe(file, LIMITS)
            parts = [frame.to_ndarray().tobytes() for part in clip.parts for frame in frames(file, part)]
        with av.open(str(path)) as container:
            whole = [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
        assert len(clip.parts) > 1 or kind == "one_key"
        assert parts == whole


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mov", "clip.avi", "clip.ts"])
def test_other_containers(tmp_path: Path, name: str) -> None:
    codec = {"clip.avi": "mp3"}.get(name, "aac")
    original = made_clip(tmp_path / name, Made(sound=codec, options=(("g", "12"), ("bf", "0"))))
    copy = redacted(original)
    assert copy.path.suffix == {"clip.avi": ".mp4", "clip.ts": ".mp4"}.get(name, original.suffix)
    assert shows_red(copy.path) == 0
    assert len(times(copy.path)) == 50
    sound, before = times(copy.path, "a"), times(original, "a")
    assert len(sound) == len(before)
    # Picture and sound lie as far apart as they did. AVI tells no times: its frames are counted, each library its own way.
    assert sound[0] - times(copy.path)[0] == pytest.approx(before[0] - times(original)[0], abs=0.002 if name != "clip.avi" else 0.1)


@pytest.mark.parametrize("more", [(), (("x264-params", "open-gop=1:scenecut=0"),)], ids=["closed groups", "open groups"])
def test_frames_of_h264_in_avi_come_as_they_are_shown_not_as_they_are_stored(tmp_path: Path, more: tuple[tuple[str, str], ...]) -> None:
    options = (("g", "12"), ("bf", "2"), ("b_strategy", "0"), *more)
    original = made_clip(tmp_path / "clip.avi", Made(options=options, sound=None))
    with original.open("rb") as file:
        clip = probe(file, LIMITS)
        assert clip.frames == 50 and not clip.truncated and (len(clip.parts) > 1 or more)
        found = [frame for part in clip.parts for frame in frames(file, part)]
    assert len(found) == 50
    moments = [moment_of(frame) or 0 for frame in found]
    assert moments == sorted(set(moments))
    for number, frame in enumerate(found):
        [seen] = look(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)[None], 0.0)
        assert seen.box.x == pytest.approx(place(number, (320, 240))[0], abs=3)
    copy = redacted(original)
    assert shows_red(copy.path) == 0 and len(times(copy.path)) == 50 and not copy.clip.truncated


@pytest.mark.parametrize(("name", "how"), [("clip.mxf", ("-c:v", "mpeg2video", "-c:a", "pcm_s16le")), ("clip.dv", ("-target", "pal-dv"))])
def test_what_cameras_for_tape_and_television_write(tmp_path: Path, name: str, how: tuple[str, ...]) -> None:
    original = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(made_clip(tmp_path / "m.mp4")), *how, str(original)], check=True, timeout=100)
    assert is_clip(str(original))
    copy = redacted(original)
    assert copy.path.suffix == ".mkv"  # MP4 does not hold their sound
    assert shows_red(copy.path) == 0
    assert len(times(copy.path)) == len(times(original)) > 45
    assert stream(copy.path, "a")["codec_name"] == "pcm_s16le"


CHANGING = {
    "larger.ts": ("libx264", [(320, 240), (640, 480)], ["yuv420p", "yuv420p"]),
    "upright.ts": ("libx264", [(320, 240), (240, 320)], ["yuv420p", "yuv420p"]),
    "deeper.ts": ("libx264", [(320, 240), (320, 240)], ["yuv420p", "yuv420p10le"]),
    "larger.webm": ("libvpx-vp9", [(320, 240), (640, 480)], ["yuv420p", "yuv420p"]),
}


@pytest.mark.parametrize("name", CHANGING)
def test_a_clip_that_changes_its_size_on_the_way_is_covered_to_its_end(tmp_path: Path, name: str) -> None:
    codec, sizes, forms = CHANGING[name]
    options = {"g": "10", "bf": "0"} if codec == "libx264" else {"g": "10", "lag-in-frames": "0", "deadline": "realtime"}
    original = changing_clip(tmp_path / name, codec, sizes, forms, options)
    copy = redacted(original)
    assert (copy.clip.width, copy.clip.height) == (320, 240)
    with copy.path.open("rb") as file:
        again = probe(file, LIMITS)
        shown = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for part in again.parts for frame in frames(file, part)]
    assert len(shown) == 40
    assert max(map(red_share, shown)) == 0
    # Not the whole picture is, whatever its size.
    covered = [float((pixels.max(axis=2) < 30).mean()) for pixels in shown]
    assert min(covered) > 0.004 and max(covered) < 0.3


def test_webm_stays_webm(tmp_path: Path) -> None:
    made = Made(codec="libvpx-vp9", options=(("deadline", "realtime"), ("cpu-used", "8"), ("g", "12")), sound="libopus")
    original = made_clip(tmp_path / "clip.webm", made)
    copy = redacted(original)
    assert copy.path.suffix == ".webm"
    assert stream(copy.path)["codec_name"] == "vp9"
    assert shows_red(copy.path) == 0
    assert times(copy.path) == times(original)


@pytest.mark.parametrize(("codec", "ending"), [("libvpx-vp9", "webm"), ("libx264", "mkv"), ("libx264", "mp4")])
def test_pixels_that_are_not_square_stay_so(tmp_path: Path, codec: str, ending: str) -> None:
    original = tmp_path / f"clip.{ending}"
    source = ("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=1,setsar=4/3")
    subprocess.run(["ffmpeg", "-v", "error", *source, "-c:v", codec, str(original)], check=True, timeout=100)
    width, height = map(int, stream(redacted(original).path)["display_aspect_ratio"].split(":"))
    assert width / height == pytest.approx(16 / 9, abs=0.003)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_clip_stays_turned_and_is_covered_where_it_is_shown(tmp_path: Path, rotation: int) -> None:
    original = made_clip(tmp_path / "clip.mp4", Made(rotation=rotation))
    copy = redacted(original)
    assert (copy.clip.width, copy.clip.height) == ((240, 320) if rotation != 180 else (320, 240))
    assert stream(copy.path)["side_data_list"] == stream(original)["side_data_list"]
    assert shows_red(copy.path) == 0


# Where right and down go, and the middle of the square in the first frame, as it is shown: in the file it is 40, 100 of 320 by 240.
@pytest.mark.parametrize(
    ("flip", "middle"),
    [((-1, 0, 0, 1), (280, 100)), ((1, 0, 0, -1), (40, 140)), ((0, 1, 1, 0), (100, 40)), ((0, -1, -1, 0), (140, 280))],
)
def test_a_mirrored_clip_is_looked_at_as_it_is_shown(tmp_path: Path, flip: tuple[int, int, int, int], middle: tuple[int, int]) -> None:
    """Of faces that stand on their heads the detector misses every second."""
    original = made_clip(tmp_path / "clip.mp4", Made(flip=flip))
    with original.open("rb") as file:
        clip = probe(file, LIMITS)
        [find] = look_through(file, clip.parts[0], clip.tick, look).sights[0].finds
    copy = redacted(original)
    assert (find.box.x + find.box.w / 2, find.box.y + find.box.h / 2) == pytest.approx(middle, abs=3)
    assert stream(copy.path)["side_data_list"] == stream(original)["side_data_list"]
    assert shows_red(copy.path) == 0


def test_of_a_head_that_is_upside_down_more_is_covered_than_the_box_that_was_found(tmp_path: Path) -> None:
    def looked(sense: int) -> VideoDetection:
        def with_landmarks(canvas: NDArray[np.uint8], score: float) -> list[Detection]:
            return [replace(face, landmarks=_standing(face.box, sense)) for face in look(canvas, score)]

        with original.open("rb") as file:
            clip = probe(file, LIMITS)
            [find] = look_through(file, clip.parts[0], clip.tick, with_landmarks).sights[0].finds
        return find

    original = made_clip(tmp_path / "clip.mp4")
    assert looked(-1).box.area == pytest.approx(1.69 * looked(1).box.area)


def _standing(box: Box, sense: int) -> Landmarks:
    x, y, away = box.x + box.w / 2, box.y + box.h / 2, sense * box.h / 4
    return (x, y - away), (x, y - away), (x, y), (x, y + away), (x, y + away)


def test_each_part_is_looked_at_in_its_last_frame_too(tmp_path: Path) -> None:
    """Where a scene ends with a part, nothing that comes later says where a face went after the look before it."""
    with made_clip(tmp_path / "clip.mp4").open("rb") as file:
        clip = probe(file, LIMITS)
        assert len(clip.parts) > 2
        for part in clip.parts:
            *_, last = frames(file, part)
            assert look_through(file, part, clip.tick, look).sights[-1].moment == moment_of(last)


@pytest.mark.parametrize("style", list(Style))
def test_every_style_can_be_had(tmp_path: Path, style: Style) -> None:
    copy = redacted(made_clip(tmp_path / "clip.mp4"), style=style)
    if style is Style.SOLID:
        assert shows_red(copy.path) == 0
    assert len(times(copy.path)) == 50


def test_the_sound_is_the_same_bytes(tmp_path: Path) -> None:
    original = made_clip(tmp_path / "clip.mp4")

    def heard(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    copy = redacted(original)
    assert heard(copy.path) == heard(original)
    assert times(copy.path, "a") == times(original, "a")


@pytest.mark.parametrize(
    ("name", "codec", "form", "told"),
    [
        ("clip.webm", "libvpx-vp9", "yuva420p", ("alpha",)),
        ("clip.mov", "prores_ks", "yuva444p10le", ("alpha",)),
        ("clip.mov", "png", "rgba", ("alpha",)),
        ("clip.webm", "libvpx-vp9", "yuv420p", ()),
        ("clip.mov", "png", "rgb24", ()),
    ],
)
def test_what_is_transparent_in_a_clip_is_told_to_be_in_no_copy(
    tmp_path: Path, name: str, codec: str, form: str, told: tuple[str, ...]
) -> None:
    options = (("profile", "4444"),) if codec == "prores_ks" else ()
    made = Made(codec=codec, form=form, moments=range(0, 240, 24), sound=None, options=options)
    copy = redacted(made_clip(tmp_path / name, made))
    assert copy.clip.removed == told and "a" not in stream(copy.path)["pix_fmt"]


def test_what_is_said_of_the_clip_goes_if_that_is_wished_and_is_told(tmp_path: Path) -> None:
    original = made_clip(tmp_path / "clip.mp4", replace(Made(), tags=TAGS))
    assert redacted(original).removed == ("comment",)
    tags = ffprobe(tmp_path / "copy.mp4", "-show_format")["format"]["tags"]
    assert "title" not in tags, "it may name who is covered"
    assert tags["creation_time"].startswith("2026-01-02")
    stripped = redacted(original, strip=True)
    assert {"comment", "date", "gps"} <= set(stripped.removed)
    data = stripped.path.read_bytes()
    assert not any(word in data for word in (b"Mei", b"+48.1", b"Phone", b"2026-01"))


def test_texts_under_any_name_and_of_the_sound_may_name_who_is_covered(tmp_path: Path) -> None:
    said = ("SUMMARY", "ACTOR", "com.apple.quicktime.title", "com.apple.quicktime.description")
    plain, original = made_clip(tmp_path / "plain.mp4"), tmp_path / "clip.mkv"
    words = [each for key in (*said, "title") for each in ("-metadata", f"{key}=Mei at the lake")]
    kept = [
        each for key, value in (("artist", "Ann"), ("com.apple.quicktime.model", "Phone 7")) for each in ("-metadata", f"{key}={value}")
    ]
    sound = ("-metadata:s:a", "title=Mei at the lake", "-metadata:s:a", "language=deu")
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(plain), "-c", "copy", *words, *kept, *sound, str(original)], check=True, timeout=100)
    assert original.read_bytes().count(b"Mei at the lake") == 6
    copy = redacted(original)
    assert b"Mei at the lake" not in copy.path.read_bytes()
    assert copy.removed == ("comment",)
    assert b"Ann" in copy.path.read_bytes() and b"Phone 7" in copy.path.read_bytes()
    assert stream(copy.path, "a")["tags"]["language"] in ("deu", "ger")


def test_the_meaning_of_the_colours_is_kept(tmp_path: Path) -> None:
    options = (("g", "12"), ("x264-params", "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=tv"))
    original = made_clip(tmp_path / "clip.mp4", Made(form="yuv420p10le", options=options))
    said, before = stream(redacted(original).path), stream(original)
    for key in ("pix_fmt", "color_range", "color_space", "color_transfer", "color_primaries"):
        assert said[key] == before[key]


def test_a_clip_that_was_cut_off_is_done_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    whole = made_clip(tmp_path / "whole.mkv", Made(moments=range(0, 2400, 24)))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    copy = redacted(cut)
    assert copy.clip.truncated
    assert 30 < len(times(copy.path)) < 90
    assert shows_red(copy.path) == 0


@pytest.mark.parametrize("how", [("-ss", "0.7"), ("-output_ts_offset", "100")])
def test_a_clip_that_was_trimmed_or_begins_late_is_not_cut_off(tmp_path: Path, how: tuple[str, str]) -> None:
    """Trimmed without being encoded anew, its file holds frames before the first one that is shown."""
    whole = made_clip(tmp_path / "whole.mp4", Made(sound=None, options=(("g", "50"), ("bf", "0"))))
    part = tmp_path / ("part.mp4" if how[0] == "-ss" else "part.mkv")
    before, after = (how, ()) if how[0] == "-ss" else ((), how)
    subprocess.run(["ffmpeg", "-v", "error", *before, "-i", str(whole), "-c", "copy", *after, str(part)], check=True, timeout=100)
    with part.open("rb") as file:
        assert probe(file, LIMITS).truncated is False


@pytest.mark.parametrize("ending", ["ts", "mkv", "mpg"])
def test_the_copy_of_a_clip_whose_clock_runs_on_from_elsewhere_begins_at_once(tmp_path: Path, ending: str) -> None:
    plain, late = made_clip(tmp_path / "plain.mp4"), tmp_path / f"late.{ending}"
    codecs = ("-c:v", "mpeg2video", "-c:a", "mp2") if ending == "mpg" else ("-c", "copy")
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(plain), *codecs, "-output_ts_offset", "40000", str(late)], check=True, timeout=100)
    copy = redacted(late)
    assert 39_990 < copy.clip.zero < 40_010
    assert float(ffprobe(copy.path, "-show_format")["format"]["duration"]) < 3
    picture, sound, before, heard = times(copy.path), times(copy.path, "a"), times(late), times(late, "a")
    assert min(picture[0], sound[0]) == pytest.approx(0, abs=0.03)
    assert picture[0] - sound[0] == pytest.approx(min(before) - heard[0], abs=0.002)
    assert shows_red(copy.path) == 0


def test_a_clip_without_its_directory_is_refused(tmp_path: Path) -> None:
    """MP4 says at its end how it is read."""
    whole = made_clip(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoUnreadable):
        redacted(tmp_path / "cut.mp4")


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\n#EXTINF:1\nother.ts\n", b"ffconcat version 1.0\nfile other.mp4\n", bytes(5000)])
def test_what_is_no_clip_is_refused(tmp_path: Path, content: bytes) -> None:
    """A list of other files is none."""
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(VideoUnreadable):
        redacted(tmp_path / "clip.mp4")


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(str(made_clip(tmp_path / "clip.mp4"))) as given, av.open(str(path), "w", format="mp4") as output:
        target = output.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.dts is not None:
                packet.stream = target
                output.mux(packet)
    with pytest.raises(VideoNoPicture):
        redacted(path)


def test_damage_in_the_middle_costs_the_damaged_frames_only(tmp_path: Path) -> None:
    path = made_clip(tmp_path / "clip.mp4", Made(moments=range(0, 2400, 24)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    path.write_bytes(data)
    copy = redacted(path)
    assert len(times(copy.path)) > 80


def test_moments_are_those_of_the_file(tmp_path: Path) -> None:
    path = made_clip(tmp_path / "clip.mp4", KINDS["variable_rate"])
    with path.open("rb") as file:
        clip = probe(file, LIMITS)
        found = [moment_of(frame) for part in clip.parts for frame in frames(file, part)]
    assert [round((moment or 0) * clip.tick * 600) for moment in found] == list(KINDS["variable_rate"].moments)
