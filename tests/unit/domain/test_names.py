"""Which person a name means, in any Unicode composition."""

import pytest

from agent.domain.errors import NoSuchName
from agent.domain.names import ids_of

PEOPLE = {1: "José", 2: "小梅", 3: "Mei"}


def test_a_name_means_whoever_bears_it_however_it_is_composed() -> None:
    assert ids_of([" Jose\u0301", "小梅"], PEOPLE) == {1, 2}
    assert ids_of([], PEOPLE) == frozenset()


def test_a_name_that_nobody_bears_is_told_with_the_nearest_there_is() -> None:
    with pytest.raises(NoSuchName) as raised:
        ids_of(["Mei", "Jos"], PEOPLE)
    assert raised.value.params == {"name": "Jos", "nearest": "José"}
    with pytest.raises(NoSuchName) as raised:
        ids_of(["Zebulon"], {})
    assert raised.value.params["nearest"] == ""
