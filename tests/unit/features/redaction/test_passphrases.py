"""A passphrase is long enough that it can't be guessed."""

import pytest

from agent.domain.errors import PassphraseWeak
from agent.features.redaction.passphrases import LEAST, check_passphrase


@pytest.mark.parametrize("passphrase", ["correct horse", "口令不能太短", "Zw9-kT4!pQ2x"])
def test_a_long_one_is_taken(passphrase: str) -> None:
    check_passphrase(passphrase)


@pytest.mark.parametrize("passphrase", ["", "a", "abcdefghijk", "a" * 20, "abcabcabcabcabc", "口令口令口", "abc        " + " " * 9])
def test_a_short_or_monotonous_one_is_refused_with_the_least(passphrase: str) -> None:
    with pytest.raises(PassphraseWeak) as refused:
        check_passphrase(passphrase)
    assert refused.value.params == {"least": LEAST}
