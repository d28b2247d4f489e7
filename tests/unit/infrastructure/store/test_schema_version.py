"""Which schemas a program works on."""

import pytest

from agent.domain.errors import StoreTooOld
from agent.infrastructure.store.schema_version import SchemaState


@pytest.mark.parametrize(
    ("found", "works_from", "fits", "newer"),
    [
        (None, None, False, False),
        ("0026", "0020", False, False),
        ("0027", None, True, False),
        ("0028", None, False, True),  # it does not say
        ("0028", "0027", True, False),
        ("0030", "0026", True, False),
        ("0030", "0028", False, True),
    ],
)
def test_a_newer_schema_is_taken_if_it_names_this_program(found: str | None, works_from: str | None, fits: bool, newer: bool) -> None:
    state = SchemaState(found, "0027", works_from)
    assert (state.fits, state.newer) == (fits, newer)


@pytest.mark.parametrize(("found", "baseline", "too_old"), [("0039", "0040", True), ("0040", "0040", False), (None, "0040", False)])
def test_a_schema_before_the_baseline_is_refused(found: str | None, baseline: str, too_old: bool) -> None:
    state = SchemaState(found, "0042", baseline=baseline)
    assert (state.too_old, state.fits) == (too_old, False)
    if too_old:
        with pytest.raises(StoreTooOld):
            state.refuse_too_old()
    else:
        state.refuse_too_old()
