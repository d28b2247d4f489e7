"""Answers every error as a Problem, in the program's language, with the HTTP status of its kind."""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from agent.domain.errors import (
    AccountError,
    AgentError,
    AlbumByRule,
    AlbumError,
    AlbumPersonKeptBack,
    AlertUnknown,
    ApprovalAwaited,
    ApprovalOutdated,
    BadRequest,
    BucketTaken,
    CaptureError,
    CaptureGone,
    CeremonyGone,
    ConsentLinkGone,
    ConsentListTooLarge,
    ConsentWithdrawn,
    CopyMissing,
    CopyUnsupported,
    FaceUnknown,
    Forbidden,
    ForeignOrigin,
    IdentityTaken,
    IdTokenInvalid,
    ImageError,
    ImageMissing,
    IncidentError,
    InvitationGone,
    JoinCodeGone,
    LastAdministrator,
    LastWayIn,
    LibraryError,
    LibraryNameTaken,
    MailFailed,
    MemberNameTaken,
    MessageError,
    MonitorUnknown,
    NameTaken,
    NotAllowedHere,
    NotAMember,
    NotFound,
    NothingToUndo,
    NotRestorable,
    NtfyFailed,
    PasskeysNeedName,
    PasskeysTooMany,
    PasskeyWrong,
    PeopleError,
    PersonElsewhere,
    PersonUnknown,
    ProviderInvalid,
    ProviderOff,
    ProviderRefused,
    ProviderUnreachable,
    PublishingEnded,
    RecognitionOff,
    RedactionError,
    RegionOutside,
    SecondFactorOn,
    SecondFactorRequired,
    SettingsError,
    SettingsUnknownKey,
    SettingsUnwritable,
    SignInAgain,
    SignInRequired,
    SourceError,
    StoreBusy,
    StoreUnreachable,
    TeamAddressInvalid,
    TeamError,
    TooManyAttempts,
    TooManyRequests,
    Unauthorised,
    UpdateManaged,
    UpdateNotReady,
    UpdatesOff,
    UploadChecksum,
    UploadError,
    UploadGone,
    UploadNoRoom,
    UploadOffset,
    UploadProtocol,
    UploadShare,
    UploadsTooMany,
    UploadTooLarge,
    UploadType,
    UploadUnwritable,
    WebhookFailed,
    WholeOnly,
    WrongSignIn,
)
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.request_counts import note_code
from agent.interfaces.web.schemas import Problem

# The caller in this process is handed the error itself under this name of the scope's extensions.
REFUSED = "ai_popup.refused"
STATUS_OF: tuple[tuple[type[AgentError], int], ...] = (
    (TooManyAttempts, 429),
    (TooManyRequests, 429),
    (Forbidden, 403),
    (ForeignOrigin, 403),
    (SignInRequired, 401),
    (WrongSignIn, 401),
    (SecondFactorRequired, 401),
    (InvitationGone, 404),
    (ConsentLinkGone, 404),
    (ConsentWithdrawn, 410),
    (ApprovalAwaited, 409),
    (ApprovalOutdated, 409),
    (PublishingEnded, 409),
    (AlbumByRule, 409),
    (AlbumPersonKeptBack, 409),
    (AlbumError, 422),
    (MemberNameTaken, 409),
    (LastAdministrator, 409),
    (SecondFactorOn, 409),
    (PasskeyWrong, 401),
    (ProviderOff, 404),
    (ProviderUnreachable, 502),
    (ProviderInvalid, 502),
    *((each, 403) for each in (ProviderRefused, IdTokenInvalid, NotAMember, NotAllowedHere)),
    *((each, 409) for each in (PasskeysNeedName, PasskeysTooMany, CeremonyGone, SignInAgain, LastWayIn, IdentityTaken)),
    (AccountError, 422),
    (BucketTaken, 409),
    (LibraryNameTaken, 409),
    (PersonElsewhere, 409),
    (LibraryError, 422),
    (JoinCodeGone, 404),
    (TeamAddressInvalid, 422),
    (TeamError, 409),
    (BadRequest, 422),
    (NotFound, 404),
    (AlertUnknown, 404),
    (FaceUnknown, 404),
    (PersonUnknown, 404),
    (NothingToUndo, 404),
    (RecognitionOff, 409),
    (NameTaken, 409),
    (ConsentListTooLarge, 413),
    (PeopleError, 422),
    (CaptureGone, 404),
    (MonitorUnknown, 422),
    (RegionOutside, 422),
    (WholeOnly, 422),
    (CaptureError, 409),
    (CopyUnsupported, 422),
    (ImageMissing, 409),
    (CopyMissing, 409),
    (NotRestorable, 409),
    (RedactionError, 422),
    (ImageError, 422),
    (UpdateNotReady, 409),
    (UpdateManaged, 409),
    (UpdatesOff, 409),
    (UploadChecksum, 460),  # as tus says
    (UploadGone, 404),
    (UploadNoRoom, 507),
    (UploadOffset, 409),
    (UploadProtocol, 412),
    (UploadShare, 507),
    (UploadsTooMany, 429),
    (UploadTooLarge, 413),
    (UploadType, 415),
    (UploadUnwritable, 503),
    (UploadError, 422),
    (Unauthorised, 401),
    (SettingsUnknownKey, 404),
    (SettingsUnwritable, 503),
    (SettingsError, 422),
    (SourceError, 422),
    (MailFailed, 502),
    (WebhookFailed, 502),
    (NtfyFailed, 502),
    (MessageError, 409),
    (IncidentError, 409),
)


_SOON_S = "2"


def status_of(error: AgentError) -> int:
    """The HTTP status that an error is answered with."""
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), 503)


def again_after(error: AgentError) -> dict[str, str]:
    """Return the header that says when to ask again, if that is known."""
    if isinstance(error, TooManyAttempts | TooManyRequests):
        return {"retry-after": str(error.params["seconds"])}
    return {"retry-after": _SOON_S} if isinstance(error, StoreBusy | StoreUnreachable) else {}


def problem_answers(api: FastAPI, texts: Callable[[], Texts]) -> None:
    """Register the error handlers with `api`."""

    def answer(request: Request, error: AgentError, status: int) -> JSONResponse:
        note_code(request.scope, error.code)
        return JSONResponse(Problem.of(error, texts()).model_dump(), status, again_after(error))

    @api.exception_handler(AgentError)
    async def refused(request: Request, error: AgentError) -> JSONResponse:
        if (note := request.scope.get("extensions", {}).get(REFUSED)) is not None:
            note(error)
        return answer(request, error, status_of(error))

    @api.exception_handler(RequestValidationError)
    async def not_understood(request: Request, error: RequestValidationError) -> JSONResponse:
        # The position of the error, never the sent value.
        return answer(request, BadRequest(reason=", ".join(sorted({".".join(map(str, each["loc"])) for each in error.errors()}))), 422)

    @api.exception_handler(HTTPException)
    async def not_there(request: Request, error: HTTPException) -> JSONResponse:
        problem = NotFound() if error.status_code == 404 else BadRequest(reason=error.detail)
        return answer(request, problem, error.status_code)
