"""The one error tree: a class for each possible failure, a stable code, and parameters for its message.

Cause and remedy of each code are in both languages in `assets/locales/*.json` under `errors.<code>.cause` and `.remedy`.
Parameters are facts for a message (numbers, setting names), never a path, a name or image data, because they are logged.
"""

# ruff: noqa: F403  (each of these modules holds errors only)

from agent.domain.errors.account_errors import *
from agent.domain.errors.backup_errors import *
from agent.domain.errors.capture_errors import *
from agent.domain.errors.desktop_errors import *
from agent.domain.errors.engine_errors import *
from agent.domain.errors.error_tree import *
from agent.domain.errors.image_errors import *
from agent.domain.errors.lifecycle_errors import *
from agent.domain.errors.message_errors import *
from agent.domain.errors.move_errors import *
from agent.domain.errors.people_errors import *
from agent.domain.errors.redaction_errors import *
from agent.domain.errors.server_errors import *
from agent.domain.errors.settings_errors import *
from agent.domain.errors.source_errors import *
from agent.domain.errors.store_errors import *
from agent.domain.errors.team_errors import *
from agent.domain.errors.update_errors import *
from agent.domain.errors.upload_errors import *
