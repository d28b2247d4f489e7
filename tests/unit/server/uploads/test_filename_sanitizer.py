"""A browser's file name becomes one that every system takes, below the folder that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.errors import UploadType
from agent.domain.video import has_pictures
from agent.server.uploads.filename_sanitizer import LONGEST, safe_name


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("IMG_0001.JPG", "IMG_0001.JPG"),
        ("../../etc/cron.d/x.jpg", "x.jpg"),
        ("C:\\photos\\班级.png", "班级.png"),
        (".hidden.jpg", "hidden.jpg"),
        ("a\u202egpj.exe.jpg", "agpj.exe.jpg"),
        ("a\0b\nc.jpg", "abc.jpg"),
        ('who? "me": <a|b>*.jpg', "who_ _me__ _a_b__.jpg"),
        ("CON.jpg", "_CON.jpg"),
        ("com1.tar.jpg", "_com1.tar.jpg"),
        ("....jpg", "photo.jpg"),
        ("clip.MOV", "clip.MOV"),
    ],
)
def test_names_are_made_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


@pytest.mark.parametrize("name", ["", "photo", "run.exe", "notes.txt", "a.jpg/", "a.jpg.", "x.ｊｐｇ", "page.svg"])
def test_what_is_no_photo_by_its_name_is_refused(name: str) -> None:
    with pytest.raises(UploadType):
        safe_name(name)


@given(st.text(max_size=300), st.sampled_from(["jpg", "HEIC", "mp4"]))
def test_every_name_is_one_visible_part_of_a_path_and_short(stem: str, ending: str) -> None:
    made = safe_name(f"{stem}.{ending}")
    assert made.endswith(f".{ending}") and has_pictures(made)
    assert len(made.encode()) <= LONGEST + 1
    assert not set(made) & set('/\\<>:"|?*\0') and made.isprintable()
    assert made[0] not in ". "
