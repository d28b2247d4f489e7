"""Sound that a copy's container can't hold as it is: what came out is told by ffprobe, a program of its own."""

import subprocess
from pathlib import Path

import av
import pytest
from av.stream import Disposition

from tests.process.clips.test_video import redacted, shows_red, stream, times
from tests.support.synthetic_clips import Made, made_clip


@pytest.mark.parametrize(("name", "sound"), [("clip.avi", "adpcm_ms"), ("clip.flv", "adpcm_swf")])
def test_what_neither_mp4_nor_matroska_holds_is_encoded_anew(tmp_path: Path, name: str, sound: str) -> None:
    made = Made(codec="flv" if name == "clip.flv" else "mpeg4", sound=sound, options=(("g", "12"), ("qscale", "2")), rate=44_100)
    original = made_clip(tmp_path / name, made)
    copy = redacted(original)
    assert copy.path.suffix == ".mp4"
    assert shows_red(copy.path) == 0
    assert stream(copy.path, "a")["codec_name"] == "aac"
    sound_of, before = times(copy.path, "a"), times(original, "a")
    assert sound_of[0] - times(copy.path)[0] == pytest.approx(before[0] - times(original)[0], abs=0.1)
    assert sound_of[-1] - sound_of[0] == pytest.approx(before[-1] - before[0], abs=0.1)


def test_sound_that_nothing_here_can_decode_is_left_out_and_told(tmp_path: Path) -> None:
    original = made_clip(tmp_path / "clip.mp4")
    original.write_bytes(original.read_bytes().replace(b"mp4a", b"ac-4").replace(b"esds", b"free"))
    copy = redacted(original)
    assert copy.path.suffix == ".mp4"
    assert copy.clip.removed == ("sound",)
    assert stream(copy.path, "a") == {}


@pytest.mark.parametrize("strip", [False, True])
def test_names_in_the_settings_of_vorbis_go(tmp_path: Path, strip: bool) -> None:
    plain, original = tmp_path / "plain.webm", tmp_path / "clip.webm"
    codecs = ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis")
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(made_clip(tmp_path / "m.mp4")), *codecs, str(plain)], check=True, timeout=100)
    comment = b"artist=" + b"Mei" * 200  # longer than one step of its length
    with av.open(str(plain)) as given, av.open(str(original), "w") as container:
        streams = {each.index: container.add_stream_from_template(each) for each in given.streams}
        sound = streams[given.streams.audio[0].index].codec_context
        count, first, _, *_ = settings = bytes(sound.extradata or b"")
        headers = bytes(settings[3:])
        comments = b"\3vorbis" + bytes(4) + (1).to_bytes(4, "little") + len(comment).to_bytes(4, "little") + comment + b"\1"
        lengths = bytes((count, first, *[255] * (len(comments) // 255), len(comments) % 255))
        sound.extradata = lengths + headers[:first] + comments + headers[first + settings[2] :]
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    name = b"MeiMeiMei"  # three letters alone come up by chance in one of two hundred files of this size
    assert name in original.read_bytes()
    copy = redacted(original, strip=strip)
    assert name not in copy.path.read_bytes()
    assert "comment" in copy.removed
    assert len(times(copy.path, "a")) == len(times(original, "a"))
    hear = ["ffmpeg", "-v", "error", "-i", str(copy.path), "-vn", "-f", "null", "-"]
    assert subprocess.run(hear, capture_output=True, check=True, timeout=100).stderr == b""


@pytest.mark.parametrize(("name", "sound"), [("clip.mkv", "flac"), ("clip.mkv", "libopus"), ("clip.mkv", "mp3"), ("clip.mov", "alac")])
def test_titles_of_chapters_and_of_the_sound_go(tmp_path: Path, name: str, sound: str) -> None:
    title, notes, original = "Mei at the lake", tmp_path / "notes", tmp_path / name
    notes.write_text(f";FFMETADATA1\ntitle={title}\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle={title}\n[STREAM]\ntitle={title}\n")
    given = ("-i", str(made_clip(tmp_path / "m.mp4")), "-i", str(notes), "-map_metadata", "1", "-map_chapters", "1")
    said = ("-metadata:s:a", f"title={title}", "-metadata:s:a", f"handler_name={title}")
    subprocess.run(["ffmpeg", "-v", "error", *given, "-c:v", "copy", "-c:a", sound, *said, str(original)], check=True, timeout=100)
    assert original.read_bytes().count(title.encode()) >= 2
    copy = redacted(original)
    assert title.encode() not in copy.path.read_bytes()
    with av.open(str(copy.path)) as container:
        assert container.chapters() == [] and stream(copy.path, "a")["codec_name"]


def test_of_several_sounds_the_one_that_is_heard_stays_so(tmp_path: Path) -> None:
    plain, original = made_clip(tmp_path / "plain.mp4"), tmp_path / "clip.mp4"
    which = ("-map", "0:v", "-map", "0:a", "-map", "0:a", "-disposition:a:0", "0", "-disposition:a:1", "default")
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(plain), "-c", "copy", *which, str(original)], check=True, timeout=100)
    with av.open(str(redacted(original).path)) as copy:
        assert [bool(sound.disposition & Disposition.default) for sound in copy.streams.audio] == [False, True]
