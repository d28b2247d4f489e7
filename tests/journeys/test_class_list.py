"""A class of 40 on a team server, in Chinese: its list with portraits is imported, cut off, and imported again; then it recognises."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import RootModel
from sqlalchemy import func, select

from agent.features.people.schemas import PersonOut
from agent.infrastructure.store.schema import consent, embedding, identity, image, place
from tests.support.journey import Journey, Said
from tests.support.real_program import WAIT_S
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
MING, LEI, WEN = "王小明", "赵雷", "陈雯"
OTHERS = [f"同学{number:02}" for number in range(37)]


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {"LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"})
    made.file.set("general.language", "zh-CN")
    made.file.set("recognition.enabled", "true")
    yield made
    made.quit()


def until(done: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def test_a_class_is_recognised_by_its_portraits_until_one_withdraws(server: RealServer, samples_folder: Path, tmp_path: Path) -> None:
    server.serve()
    journey = Journey(server, samples_folder, tmp_path)
    portraits = tmp_path / "portraits"
    for child, person in ((MING, "Barack"), (LEI, "Joe")):
        journey.portraits(f"portraits/{child}", person, 3)
    journey.album(f"portraits/{WEN}", plain=1)

    def row(child: str) -> str:
        photos = ";".join(f"{child}/{each.name}" for each in sorted((portraits / child).iterdir())) if (portraits / child).exists() else ""
        return f"{child},2016-03-01,识别 公开,{child}的家长,{photos}"

    table = tmp_path / "名单.csv"
    table.write_bytes("\r\n".join(["姓名,出生日期,用途,监护人,照片", *map(row, [MING, LEI, WEN, *OTHERS])]).encode("gb18030"))

    def take() -> Said:
        return journey.command("people", "import-list", table, "--photos", portraits, "--json")

    def held() -> tuple[int, int]:
        """Consents, and references without a photo."""
        with server.library() as library, library.database.read() as tx:
            references = select(func.count()).select_from(place).where(place.c.source == "reference")
            return tx.scalar(select(func.count()).select_from(consent)) or 0, tx.scalar(references) or 0

    def recognised() -> dict[str, int]:
        with server.client() as client:
            people = client.call("GET", "/api/people", RootModel[list[PersonOut]]).root
        return {each.name: each.faces + each.references for each in people if each.faces + each.references}

    with journey.begun("people", "import-list", table, "--photos", portraits) as cut_off:
        until(lambda: held()[0] >= 20, held)
        cut_off.kill()
    said = take()
    refused = f"{portraits / WEN}/"
    assert said.code == 1 and refused in said.err and "没有找到人脸" in said.err and "[people.reference_no_face]" in said.err
    [facts] = said.objects
    assert (facts["people"], facts["refused"]) == (40, 1)
    assert held() == (80, 6) and recognised() == {MING: 3, LEI: 3}
    again = take()
    assert again.objects == [{"people": 40, "new": 0, "consents": 0, "faces": 0, "refused": 1}] and held() == (80, 6)

    trip = journey.portraits("trip", "Barack", 1) / "portrait-0008.jpg"
    shutil.copyfile(trip, server.watched / "trip.jpg")
    until(lambda: recognised().get(MING) == 4, lambda: (recognised(), (server.home / "errors.txt").read_text()))
    assert recognised()[LEI] == 3 and journey.command("consent", "list", MING).code == 0

    withdrawn = journey.command("consent", "withdraw", MING, "recognise", "--yes", "--json")
    assert [each["embeddings"] for each in withdrawn.objects] == [4], withdrawn.err
    shutil.copyfile(journey.portraits("trip", "Barack", 1) / "portrait-0009.jpg", server.watched / "again.jpg")
    server.settled(2)
    assert recognised() == {LEI: 3} and held() == (81, 3)
    with server.library() as library, library.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(image)) == 5, "two photos, and the other's three references"
        theirs = select(func.count()).select_from(embedding).join(identity, identity.c.face_id == embedding.c.face_id)
        assert tx.scalar(theirs) == 3
    assert journey.command("record", "verify").code == 0
