"""What goes to the team's server of folders."""

from dataclasses import dataclass

from agent.team.sharing import FolderSharing
from agent.team.uploading import FolderUploads


@dataclass(frozen=True, slots=True)
class FolderWork:
    sharing: FolderSharing
    uploads: FolderUploads
