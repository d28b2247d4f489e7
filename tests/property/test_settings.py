"""Whatever is written into the settings: it is taken over as it stands, or refused with a typed error."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.domain.errors import SettingsError, SettingsInvalid
from agent.infrastructure.core.config_check import merged, parsed_value, validated
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.setting_fields import SettingField, nearest_key, setting_fields
from agent.infrastructure.core.settings import Settings

SIMPLE = [field for field in setting_fields().values() if "[]" not in field.key]
NUMBERS = [field for field in SIMPLE if field.kind in ("int", "float")]
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8
)
keys = st.sampled_from([*Settings.model_fields, *(field.key.rpartition(".")[2] for field in SIMPLE)]) | st.text(max_size=8)
raws = st.dictionaries(keys, st.dictionaries(keys, trees, max_size=3) | trees, max_size=4)


@given(raws)
def test_any_tree_is_valid_or_refused_with_a_readable_error(raw: dict[str, object]) -> None:
    try:
        settings = validated(raw)
    except SettingsError as error:
        for language in ("en", "zh-CN"):
            assert not Texts(language).cause(error).startswith("errors.")
    else:
        assert validated(settings.model_dump(mode="json")) == settings


@given(st.sampled_from(NUMBERS), st.integers(-(10**7), 10**7))
def test_a_number_is_taken_exactly_within_its_bounds(field: SettingField, number: int) -> None:
    assert field.minimum is not None
    assert field.maximum is not None
    section, _, name = field.key.partition(".")
    inside = field.minimum < number < field.maximum if field.open_interval else field.minimum <= number <= field.maximum
    try:
        settings = validated({section: {name: number}})
    except SettingsInvalid as error:
        assert not inside
        assert error.params["minimum"] == field.minimum
    else:
        assert inside
        assert getattr(getattr(settings, section), name) == number


@given(st.sampled_from(NUMBERS), st.data())
def test_what_is_set_is_what_is_loaded(field: SettingField, data: st.DataObject) -> None:
    assert field.minimum is not None
    assert field.maximum is not None
    bounds = {"min_value": field.minimum, "max_value": field.maximum}
    number = data.draw(st.integers(**bounds) if field.kind == "int" else st.floats(**bounds, exclude_min=True, exclude_max=True))  # type: ignore[arg-type]
    section, _, name = field.key.partition(".")
    with tempfile.TemporaryDirectory() as folder:
        file = SettingsFile(Path(folder) / "settings.toml", {})
        file.set(field.key, repr(number))
        assert getattr(getattr(SettingsFile(file.path, {}).load(), section), name) == number
        assert file.unset(field.key) == Settings()


@given(st.text(max_size=40))
def test_any_text_is_a_value_and_any_key_has_a_nearest_or_none(text: str) -> None:
    parsed_value(text)
    near = nearest_key(text)
    assert near == "" or near in Settings.model_fields or any(near == field.key.replace("[]", "") for field in setting_fields().values())


@given(raws, raws)
def test_what_the_upper_layer_says_stands(lower: dict[str, object], upper: dict[str, object]) -> None:
    whole = merged(lower, upper)
    assert merged(whole, upper) == whole
    assert whole.keys() == lower.keys() | upper.keys()
    assert all(whole[key] == value for key, value in upper.items() if not isinstance(value, dict))
