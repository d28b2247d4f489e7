"""Failures to make or restore a covered copy."""

from agent.domain.errors.error_tree import AgentError


class RedactionError(AgentError):
    """One copy could not be made: the original is unchanged, and no partial file has the copy's name."""


class SameFile(RedactionError):
    """The copy would replace its original without a request to do so."""

    code = "redact.same_file"


class CopyNotAFile(RedactionError):
    """The copy would replace a device, a pipe or a folder."""

    code = "redact.not_a_file"


class CopyUnwritable(RedactionError):
    """The copy can't be written. Parameter, if known: the folder, as `denied` (no permission), `read_only` (its disk) or `folder`."""

    code = "redact.unwritable"


class CopyPlaceUnclear(RedactionError):
    """A typed folder is not a full path. Parameters: `path`, and `example`, a full one."""

    code = "redact.not_full_path"


class CopyDiskFull(RedactionError):
    code = "redact.disk_full"


class CopyUnsupported(RedactionError):
    """The format can't be written. Parameters: `format`, empty for a name without extension; `choices`, the possible extensions.

    For a video instead: `clip`, its own extension, or `becomes`, the format of its copy. For a photo in place: `instead`, likewise.
    """

    code = "redact.unsupported"


class CopyUnproven(RedactionError):
    """The finished copy, decoded again, did not match the drawn picture."""

    code = "redact.unproven"


class RegionsTooLarge(RedactionError):
    """The covered regions are too large to keep. Parameters `megabytes`, `limit`."""

    code = "redact.regions_too_large"


class NotRestorable(RedactionError):
    """There is no recovery file to restore from."""

    code = "redact.nothing_kept"


class CopyMissing(RedactionError):
    """The copy is missing, or both it and its recovery file."""

    code = "redact.copy_missing"


class RestoreKeyWrong(RedactionError):
    """The recovery file was encrypted with another library's key. One parameter, 1, names other causes.

    `locked`: it needs a passphrase, and none was given; `unlocked`: it needs none; `wrong`: it needs another one.
    """

    code = "redact.wrong_key"


class PassphraseWeak(RedactionError):
    """The passphrase is too weak. Parameter: `least`, characters; wide ones, such as Chinese, count twice."""

    code = "redact.passphrase_weak"


class AlreadyKept(RedactionError):
    """The recovery file of an earlier original is already beside the file, and must not be lost."""

    code = "redact.already_kept"


class KeptDamaged(RedactionError):
    """The recovery file was changed or is cut short: none of it can be trusted."""

    code = "redact.kept_damaged"


class CopyChanged(RedactionError):
    """The copy is not the one whose regions were kept."""

    code = "redact.copy_changed"


class PassphraseGone(RedactionError):
    """The program ended before the copy was made, and passphrases are never stored."""

    code = "redact.passphrase_gone"


class VideoMissing(RedactionError):
    """The extra that reads and writes videos is not installed."""

    code = "redact.video_missing"


class VideoNoPicture(RedactionError):
    """The file contains only sound."""

    code = "redact.video_no_picture"


class VideoUnreadable(RedactionError):
    """The file is no video, or its header is damaged."""

    code = "redact.video_unreadable"


class VideoUnwritable(RedactionError):
    """The copy's format can't hold the original's content."""

    code = "redact.video_unwritable"


class FilmTooLong(RedactionError):
    """There are too many frames or pages. Parameters `frames`, `megapixels` in all, and their limits `most`, `limit`."""

    code = "redact.film_too_long"


class VideoKeepsNoRegions(RedactionError):
    """For a video, the covered regions can't be kept on their own."""

    code = "redact.video_keeps_no_regions"


class VideoNotEditable(RedactionError):
    """A video's covers can't be changed by hand."""

    code = "redact.video_not_editable"


class ApprovalAwaited(RedactionError):
    """A copy for publishing waits for the approval of a member who neither planned nor edited it."""

    code = "redact.approval_awaited"


class ApprovalOutdated(RedactionError):
    """The copies to approve are others than those that were looked at."""

    code = "redact.approval_outdated"


class PublishingEnded(RedactionError):
    """Someone who may be visible on copies that wait for approval no longer agrees to publishing: the copies are made again."""

    code = "redact.publishing_ended"
