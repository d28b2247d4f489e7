"""Names in any script, and such as are no text at all: from the folder through engine, library and API to the command line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from agent.features.library.schemas import ImagePage

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

NAMES = ["中文 人脸.jpg", "صورة.jpg", "e\u0301té.jpg", "😀👨\u200d👩\u200d👧.jpg", "a'b%20&c #1.jpg", "x" * 200 + ".jpg"]
# What only some systems allow: line breaks, marks that turn text around, and bytes that are no UTF-8.
ODD = ['two\nlines "quoted".jpg', "gpj.\u202eexe.jpg", "caf\udce9.jpg", "\udcff\udcfe.jpg", "back\\slash.jpg"]


def test_every_name_a_system_allows_is_taken(program: "RealProgram", photo: Callable[[int], Image.Image]) -> None:
    names = NAMES + (ODD if sys.platform == "linux" else [])
    inner = program.watched / ("d\udce9" if sys.platform == "linux" else "d\xe9")
    inner.mkdir()
    for number, name in enumerate(names):
        photo(number).save(program.watched / name)
    photo(50).save(inner / names[-1])
    (inner / ("broken " + names[-2])).write_bytes(b"\xff\xd8\xff broken")
    program.start()
    status = program.settled(len(names) + 1, failed=1)
    assert status.problem is None

    with program.client() as client:
        assert '"image.truncated"' in json.dumps(client.get_json("/api/problems"))
        page = ImagePage.model_validate(client.get_json("/api/images?limit=200"))
        assert set(NAMES) <= {image.name for image in page.items}
        for image in page.items:
            for what in ("preview", "thumbnail", "original"):
                assert client._call("GET", f"/api/images/{image.id}/{what}").content.startswith(b"\xff\xd8")
    (inner / ("broken " + names[-2])).rename(inner / "x.jpg")
    (program.watched / names[-1]).rename(inner / names[0])

    def moved() -> bool:
        with program.client() as client:
            page = ImagePage.model_validate(client.get_json("/api/images?limit=200"))
            return sum(image.folder != program.watched.name for image in page.items) == 2

    program.until(lambda status: (status.images, status.failed, status.queued) == (len(names) + 1, 1, 0) and moved())
    program.quit()

    scanned = program.run("scan", "--json", *(str(path) for path in sorted(program.watched.rglob("*.jpg")) if path.is_file()))
    lines = [json.loads(line) for line in scanned.stdout.splitlines()]
    assert len(lines) == len(names) + 2
    assert [line["error"]["code"] for line in lines if line["error"]] == ["image.truncated"]
    assert Path(lines[0]["path"]).parent.is_dir() or sys.platform == "linux"
