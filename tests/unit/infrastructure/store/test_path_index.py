"""What is searched for in each path."""

import pytest

from agent.infrastructure.store.path_index import name_matches


@pytest.mark.parametrize(
    ("text", "forms"),
    [("IMG_0042", {"img_0042"}), ("Holiday", {"holiday"}), ("婚礼", {"婚礼"}), ("Élan", {"Élan", "élan", "e\u0301lan"})],
)
def test_each_form_of_a_text_is_searched_once(text: str, forms: set[str]) -> None:
    compiled = name_matches(text).compile()
    searched = [value.decode() for value in compiled.params.values() if isinstance(value, bytes)]
    assert sorted(searched) == sorted(forms)
