"""Settings and watched folders of the running program, changed by its API: written to the file, and in force at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from PIL import Image

from agent.interfaces.web.runtime_file import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.real_program import RealProgram


def test_what_the_pages_change_is_in_force_at_once(program: RealProgram, tmp_path: Path, photo: Callable[[int], Image.Image]) -> None:
    more = tmp_path / "more photos"
    more.mkdir()
    for number in range(3):
        photo(number).save(more / f"{number}.jpg")
    program.start()
    where = find(program.paths.runtime)
    api = httpx.Client(
        base_url=f"http://127.0.0.1:{where.port}/api", headers={"authorization": f"Bearer {where.token}"}, trust_env=False, timeout=20
    )
    with api:
        assert not api.get("/first-run").json()["needed"], "a folder is watched"
        assert len(api.get("/recovery-code").json()["code"]) == 35

        assert api.put("/settings/general.language", json={"value": "zh-CN"}).status_code == 200
        program.until(lambda status: status.language == "zh-CN")
        refused = api.put("/settings/popup.seconds", json={"value": 1})
        assert (refused.status_code, refused.json()["code"]) == (422, "settings.invalid")
        assert "2 到 3,600" in refused.json()["cause"]

        estimate = api.post("/folders/estimate", json={"path": str(more)}).json()
        assert (estimate["images"], estimate["more"]) == (3, False)
        assert api.post("/folders", json={"path": str(more)}).status_code == 204
        program.settled(3)
        assert api.patch("/folders", json={"path": str(more), "faces": False}).status_code == 204
        photo(3).save(more / "3.jpg")
        program.settled(4)
        removed = api.delete("/folders", params={"path": str(more)}).json()["photos"]
        program.until(lambda status: [folder.path for folder in status.folders] == [str(program.watched)])
        program.until(lambda status: status.images == 4 - removed)
        assert removed > 0
        assert api.post("/folders", json={"path": str(more), "faces": False}).status_code == 204
        program.until(lambda status: status.images == 4)
        api.delete("/folders", params={"path": str(more)})
        program.until(lambda status: [folder.path for folder in status.folders] == [str(program.watched)])

        assert api.post("/quiet", json={"minutes": 5}).status_code == 204
        program.until(lambda status: status.quiet_until is not None)
    assert program.file.load().general.language.value == "zh-CN"
