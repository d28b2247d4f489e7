"""Captures over the API: what can be no box or region is refused as a wrong word, and a path that is no text stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.unit.interfaces.web.conftest import Served

JSON = {"content-type": "application/json"}


async def taken(owner: httpx.AsyncClient) -> str:
    """The id of a capture that is open for review."""
    answer = await owner.post("/api/captures", json={"what": "screen"})
    assert answer.status_code == 200
    return str(answer.json()["id"])


@pytest.mark.parametrize("box", ["NaN,0,10,10", "0,0,Infinity,10", "0,0,1e308,1e308", "1e300,0,5,5", "0,0,0,5", "0,0,5,-5"])
async def test_a_box_that_can_be_none_is_refused_and_the_capture_stays_as_it_was(owner: httpx.AsyncClient, box: str) -> None:
    address = f"/api/captures/{await taken(owner)}"
    before = (await owner.get(address)).json()
    answer = await owner.patch(address, content=f'{{"drawn": [[{box}]]}}', headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "api.bad_request")
    assert (await owner.get(address)).json() == before


async def test_a_region_without_area_is_a_wrong_word(owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/api/captures", json={"region": "0,0,0,5"})
    assert (answer.status_code, answer.json()["code"]) == (422, "api.bad_request")


async def test_a_capture_is_saved_also_where_the_path_is_no_text(served: Served, owner: httpx.AsyncClient) -> None:
    address, path = f"/api/captures/{await taken(owner)}", "/home/m\udce9i/a.png"
    answer = await owner.post(f"{address}/save", content=b'{"path": "/home/m\\udce9i/a.png"}', headers=JSON)
    assert answer.status_code == 200 and list(served.saved) == [path]
    assert answer.json()["path"] == (await owner.get(address)).json()["path"] == "/home/m�i/a.png"
