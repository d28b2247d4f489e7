"""People are taken in from folders, renamed and collected in albums, many times: what is said is done, and what is done is said."""

from itertools import pairwise

import pytest

from tests.support.journey import Journey

pytestmark = [pytest.mark.timeout(600)]


def test_folders_of_people_are_imported_twice_and_people_renamed_again_and_again(journey: Journey) -> None:
    journey.recognise()
    journey.portraits("people/Barack", "Barack", 40)
    journey.portraits("people/Joe", "Joe", 36)
    for told in ("76 faces were named.\n", "76 faces had their names already.\n"):
        said = journey.command("people", "import", journey.root / "people")
        assert (said.out, said.code) == (told, 0)
        assert journey.people() == {"Barack": 40, "Joe": 36}

    names = ["Joe", "Joseph", "Uncle Joe", "Grandpa", "J", "Joe"]
    for old, new in pairwise(names):
        said = journey.command("people", "rename", old, new)
        assert (said.code, said.err, journey.people()) == (0, "", {"Barack": 40, new: 36})
    assert journey.library() == (76, 76, 2)

    collected(journey)


def albums(journey: Journey) -> dict[str, int]:
    return {each["name"]: each["photos"] for each in journey.command("albums", "list", "--json").objects}


def collected(journey: Journey) -> None:
    """An album of people grows as photos are scanned; one by hand keeps what was chosen, in its order; both speak Chinese."""
    first, second, third = chosen = sorted((journey.root / "people/Joe").iterdir())[2::-1]
    assert journey.command("albums", "add", "全家福", "--person", "Barack", "--person", "Joe", "--match", "any").code == 0
    for _ in range(2):  # the second time adds nothing
        assert journey.command("albums", "add", "精选", *chosen).code == 0
        assert albums(journey) == {"全家福": 76, "精选": 3}
    new = journey.portraits("new", "Barack", 10)
    for _ in range(2):
        assert journey.scan(new).photos == 10
        assert albums(journey) == {"全家福": 86, "精选": 3}

    journey.program.file.set("general.language", "zh-CN")
    assert journey.command("albums", "remove", "精选", second).out == "已从 精选 移除 1 张照片。\n"
    assert journey.command("albums", "list").out == "全家福  86 张照片  Barack, Joe\n精选  2 张照片\n"
    assert journey.command("albums", "show", "精选").out.splitlines() == [str(first), str(third)]
    assert journey.command("albums", "remove", "精选").out == "已移除 精选；照片保持不变。\n"
    assert "[album.unknown]" in journey.command("albums", "remove", "精选").err
    for photos in (2, 3):
        assert journey.command("undo").code == 0
        assert albums(journey) == {"全家福": 86, "精选": photos}
    assert journey.command("albums", "show", "精选").out.splitlines() == [str(each) for each in chosen]
    assert journey.library() == (86, 86, 2)
