"""Names to sign in with: one spelling for all that look the same."""

import unicodedata

from agent.domain.errors import MemberNameInvalid

LONGEST_NAME = 64
LONGEST_DISPLAY_NAME = 100


def folded(name: str) -> str:
    """The one spelling under which a name is kept and found: NFKC, without case, with single spaces.

    Raises MemberNameInvalid if it is empty, too long, or holds anything but visible characters.
    """
    # Folding may undo the normal form, and the other way round: twice is stable (Unicode, D145).
    once = unicodedata.normalize("NFKC", name[: 4 * LONGEST_NAME]).casefold()
    found = " ".join(unicodedata.normalize("NFKC", once).casefold().split(" ")).strip(" ")
    found = unicodedata.normalize("NFKC", " ".join(found.split()))
    if len(name) > 4 * LONGEST_NAME or not 1 <= len(found) <= LONGEST_NAME or not found.isprintable():
        raise MemberNameInvalid
    return found


def shown(name: str) -> str:
    """A display name, as entered but for spaces around it. Raises MemberNameInvalid."""
    found = unicodedata.normalize("NFC", name[: 4 * LONGEST_DISPLAY_NAME]).strip()
    if not 1 <= len(found) <= LONGEST_DISPLAY_NAME or not found.isprintable():
        raise MemberNameInvalid
    return found
