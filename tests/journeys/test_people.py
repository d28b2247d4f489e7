"""People are taken in from folders and renamed, many times: what is said to be done is done, and what is done is said."""

from itertools import pairwise

import pytest

from tests.journeys.journey import Journey

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_folders_of_people_are_imported_twice_and_people_renamed_again_and_again(journey: Journey) -> None:
    journey.recognise()
    journey.portraits("people/Barack", "Barack", 70)
    journey.portraits("people/Joe", "Joe", 66)
    for _ in range(2):
        said = journey.command("people", "import", journey.root / "people")
        assert (said.out, said.code) == ("136 faces were named.\n", 0)
        assert journey.people() == {"Barack": 70, "Joe": 66}

    names = ["Joe", "Joseph", "Joe B", "Uncle Joe", "Joe again", "Grandpa", "Sir", "Joey", "J", "Joe R", "Joe"]
    for old, new in pairwise(names):
        said = journey.command("people", "rename", old, new)
        assert (said.code, said.err, journey.people()) == (0, "", {"Barack": 70, new: 66})
    assert journey.library() == (136, 136, 2)
