"""Why a PostgreSQL server let no connection be made."""

import re
from typing import Final

from agent.domain.errors import DatabaseUnreachable

# libpq passes on the server's words, in its language, without a SQLSTATE: what is not recognised is only "unreachable".
_REASONS: Final = {
    "sign_in": r"password authentication failed|no password supplied|no pg_hba\.conf entry|role \".*\" (does not exist|is not permitted)",
    "missing": r"database \".*\" does not exist",
    "name": r"failed to resolve host|could not translate host name",
    "encryption": r"\bSSL\b|certificate",
    "busy": r"too many (clients|connections)|remaining connection slots",
    "refused": r"Connection refused|No such file or directory",
    "slow": r"timeout expired|timed out|No route to host|Network is unreachable",
}


def unreachable(error: Exception) -> DatabaseUnreachable:
    """Return the error with a parameter of that name. Its message is left out: it names the host and the user."""
    found = next((name for name, words in _REASONS.items() if re.search(words, str(error))), None)
    return DatabaseUnreachable(**{found: 1}) if found else DatabaseUnreachable()
