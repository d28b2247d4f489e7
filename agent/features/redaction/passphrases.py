"""Requirements for passphrases of recovery files: an attacker who has the file can try any number of them."""

from typing import Final

from agent.domain.errors import PassphraseWeak

LEAST: Final = 12  # characters; with scrypt's cost, guessing even lower-case letters takes longer than anyone lives
_DIFFERENT: Final = 4


def check_passphrase(passphrase: str) -> None:
    """Raise PassphraseWeak for a short one, or one character repeated. Chinese and other wide characters count twice."""
    length = sum(1 if ord(letter) < 0x2E80 else 2 for letter in passphrase.strip())
    if length < LEAST or len(set(passphrase)) < _DIFFERENT:
        raise PassphraseWeak(least=LEAST)
