"""Names to sign in with: one spelling for all that look the same."""

import unicodedata

from agent.domain.confusables import is_visible
from agent.domain.errors import MemberNameInvalid

LONGEST_NAME = 64
LONGEST_DISPLAY_NAME = 100
_LONGEST_INPUT = 400


def folded(name: str) -> str:
    """The one spelling under which a name is kept and found: NFKC, without case, with single spaces.

    Raises MemberNameInvalid if it is empty, too long, or holds anything but visible characters.
    """
    if len(name) > _LONGEST_INPUT:
        raise MemberNameInvalid
    found = unicodedata.normalize("NFKC", name)
    if not found.isprintable() or not is_visible(found):
        raise MemberNameInvalid
    # Folding the case may undo the normal form, and the other way round: twice is stable (Unicode, D145).
    for _ in range(2):
        found = unicodedata.normalize("NFKC", found.casefold())
    found = " ".join(found.split())
    if not 1 <= len(found) <= LONGEST_NAME or not found.isprintable():
        raise MemberNameInvalid
    return found


def shown(name: str) -> str:
    """A display name, as entered but for spaces around it. Raises MemberNameInvalid."""
    found = unicodedata.normalize("NFC", name[:_LONGEST_INPUT]).strip()
    if not 1 <= len(found) <= LONGEST_DISPLAY_NAME or not is_visible(found):
        raise MemberNameInvalid
    return found
