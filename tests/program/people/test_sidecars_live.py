"""Names that another program writes beside a photo while the agent runs."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs libimage-exiftool-perl")
def test_a_name_that_exiftool_writes_is_known_without_a_rescan(program: "RealProgram", photo: Callable[[int], Image.Image]) -> None:
    def exiftool(*words: str | Path) -> None:
        subprocess.run(["exiftool", "-q", "-overwrite_original", *map(str, words)], check=True, capture_output=True, timeout=60)

    def person() -> str | None:
        return program.images()["0.jpg"].faces[0].person

    def region(name: str) -> str:
        return f"-XMP-mwg-rs:RegionInfo={{RegionList=[{{Area={{{area}}},Name={name},Type=Face}}]}}"

    path = program.watched / "0.jpg"
    photo(0).save(path)
    program.file.set("recognition.enabled", "true")
    program.file.change_folder(str(program.watched), {"names_in_sidecars": "both"})
    program.start()
    program.settled(1)
    shown = program.images()["0.jpg"]
    left, top, width, height = shown.faces[0].box
    x, y = (left + width / 2) / shown.width, (top + height / 2) / shown.height
    area = f"X={x},Y={y},W={width / shown.width},H={height / shown.height},Unit=normalized"

    sidecar = path.with_name("0.xmp")  # as Lightroom names it
    exiftool(region("Müller"), "-o", sidecar, path)
    program.until(lambda _: person() == "Müller")

    with program.client() as client:
        client.post_json("/api/undo", {})
    assert person() is None
    exiftool("-XMP:Rating=5", sidecar)
    exiftool(region("梅"), sidecar)
    program.until(lambda _: person() == "梅")
