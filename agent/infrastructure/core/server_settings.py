"""The sections of the settings that only a team server reads."""

import re
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from agent.infrastructure.core.setting_section import Section, TimeOfDay


class SmtpSecurity(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Migrate(StrEnum):
    AUTO = "auto"
    NEVER = "never"


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError as error:
        raise PydanticCustomError("network", "no address or network") from error
    return text


EmailAddress = Annotated[str, Field(pattern=r"^[^@\s,<>]+@[^@\s,<>]+$", max_length=254, examples=["you@example.org"])]
HttpsAddress = Annotated[str, Field(pattern=r"^(https://[^\s@]+)?$", max_length=2_000, examples=["https://host.example.org/path"])]


def _bare_address(text: str) -> str:
    if text and not re.fullmatch(r"https://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", text):
        raise PydanticCustomError("web_address", "no address of a server")
    return text.removesuffix(":443")


class ServerSettings(Section):
    """The team server, `ai-popup serve`. Everything here takes effect at its next start."""

    name: Annotated[str, Field(max_length=100)] = ""
    """What people know the server by; empty is the computer's name."""
    database: Annotated[str, Field(pattern=r"^(postgres(ql)?://.+)?$", examples=["postgresql://user:password@host/database"])] = ""
    """The PostgreSQL database that keeps everything; empty starts the one that comes with the program, in its data folder."""
    migrate: Migrate = Migrate.AUTO
    """Whether a start may change the schema: `auto` makes the tables of an empty database and migrates the one that comes with the
    program, `never` leaves all of it to `ai-popup server migrate`. An older schema in `database` is never migrated by a start."""
    host: Annotated[str, Field(min_length=1, max_length=100)] = "0.0.0.0"
    """Address to listen at; `0.0.0.0` is every network of this computer, `::` also those with IPv6."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8443
    """Port for HTTPS; 0 takes a free one."""
    address: Annotated[str, AfterValidator(_bare_address), Field(max_length=300, examples=["https://photos.example"])] = ""
    """The address that people use, if a balancer or reverse proxy leads from there to the server; empty is the server's own."""
    announce: bool = True
    """Announce the server in the local network by mDNS, so that desktops find it; if it listens on this computer only, nothing is
    announced."""
    http_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Port that sends browsers from http:// on to https://; 0 is none."""
    names: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = ()
    """Names and addresses by which the server is reached, besides those that this computer knows of itself."""
    certificate: str = ""
    """PEM file with the certificate and those it was issued by; read again when it changes. Empty makes one of our own."""
    private_key: str = ""
    """PEM file with the key of `certificate`."""
    public_certificate: str = ""
    """PEM file with the certificate that desktops see at `address`, or that of its authority, if a proxy there has one of its own;
    for a planned change, with the new one besides the old; read again when it changes. Empty looks there."""
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Worker processes on this computer; 0 leaves the work to other computers."""
    worker_keys: str = ""
    """Folder where the server puts the key of its workers and workers read it; empty is `config/keys` in each one's home."""
    address_connections: Annotated[int, Field(ge=8, le=1_024)] = 256
    """Connections that one address may hold. An office behind one address needs about six for each of its members."""
    address_handshakes: Annotated[int, Field(ge=4, le=512)] = 64
    """Connections that one address may be setting up at once; who sends no answer is cut off after ten seconds."""
    proxies: tuple[Annotated[str, AfterValidator(_network), Field(max_length=50)], ...] = ()
    """Addresses or networks of reverse proxies: they say which address a request comes from, and may hold any number of connections."""
    buckets_inside: bool = False
    """Buckets may be in the team's own network, on this computer, or at an http:// address. Workers on other computers read their own."""
    drain_s: Annotated[int, Field(ge=1, le=3_600)] = 30
    """When it is told to end, running requests and work may take this long."""
    drain_delay_s: Annotated[int, Field(ge=0, le=300)] = 0
    """When it is told to end, it says that it is not ready and serves on for this long, so that load balancers notice."""
    operations_port: Annotated[int, Field(ge=0, le=65_535)] = 9464
    """Port for monitoring by plain HTTP: `/live`, `/ready` and `/metrics`; 0 is none."""
    operations_host: Annotated[str, Field(min_length=1, max_length=100)] = "127.0.0.1"
    """Address to listen at for monitoring; other computers and containers need another than `127.0.0.1`."""
    metrics_token_file: str = ""
    """File with the token, at least 16 characters, that `/metrics` takes besides API tokens with `metrics.read`."""
    tracing: Annotated[str, Field(pattern=r"^(https?://[^\s@]+)?$", max_length=2_000, examples=["http://127.0.0.1:4318"])] = ""
    """Address of an OpenTelemetry collector that takes traces by OTLP over HTTP, from the server and its workers; empty records none."""


class WorkerSettings(Section):
    """A worker that runs by itself, `ai-popup worker`. Everything here takes effect at its next start."""

    operations_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Port for monitoring by plain HTTP: `/live`, `/ready` and `/metrics`; 0 is none."""
    operations_host: Annotated[str, Field(min_length=1, max_length=100)] = "127.0.0.1"
    """Address to listen at for monitoring."""


class UploadSettings(Section):
    """Photos that members of a team send to the server from their browsers."""

    folder: str = ""
    """Where they are stored, a folder per month; empty is `uploads` in the server's data folder. It is watched once something arrives."""
    file_mb: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    """Largest file."""
    total_gb: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """All uploads together; 0 is no limit."""
    keep_free_gb: Annotated[int, Field(ge=0, le=10_000)] = 5
    """What stays free on the disk."""
    most_unfinished: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Unfinished uploads of one member."""
    keep_days: Annotated[int, Field(ge=1, le=30)] = 2
    """An upload that is not finished by then is removed."""


class OidcSettings(Section):
    """Signing in to the team server by an OpenID provider."""

    issuer: Annotated[
        str, Field(pattern=r"^(https://[^\s@?#]+)?$", max_length=1_000, examples=["https://id.example.org/realms/school"])
    ] = ""
    """The provider's address, exactly as its discovery document writes it; empty switches this off."""
    client_id: Annotated[str, Field(max_length=200)] = ""
    """What the provider knows this server by."""
    secret_path: str = ""
    """A file with the client's secret, read at each sign-in. Empty: the secret that `ai-popup members provider secret` keeps, if any."""
    name: Annotated[str, Field(max_length=60)] = ""
    """What the button for signing in calls the provider; empty is its host."""
    scopes: tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,100}$", examples=["profile"])], ...] = ("profile", "email")
    """Asked for besides `openid`."""
    name_claim: Annotated[str, Field(min_length=1, max_length=100)] = "preferred_username"
    """The claim that shows which account it is, and names new members."""
    groups_claim: Annotated[str, Field(min_length=1, max_length=100)] = "groups"
    """The claim that lists the account's groups."""
    allowed_groups: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    """Only accounts in one of these groups sign in; empty is all."""
    roles: tuple[
        Annotated[str, Field(pattern=r"^.{1,200}=(administrator|curator|editor|viewer|auditor)$", examples=["photo-desk=curator"])], ...
    ] = ()
    """`group=role`: an account in the group gets the role at each sign-in; the first that fits counts. Without one, the role stays."""
    create_members: bool = False
    """An account that no member has linked becomes a member at its first sign-in. Otherwise members are invited, and link theirs."""
    create_domains: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = ()
    """Only accounts with a verified e-mail address in one of these domains become members that way; empty is all."""
    default_role: Annotated[str, Field(pattern="^(curator|editor|viewer|auditor)$")] = "viewer"
    """The role of a member who is made that way, if no group gives one."""
    second_factor_values: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ("mfa",)
    """Values of `amr` or `acr` that say the provider asked for a second factor; otherwise members who have one show it here, too."""
    certificate: str = ""
    """PEM file with the authority of the provider's certificate, if the system doesn't trust it."""
    clock_skew_s: Annotated[int, Field(ge=0, le=300)] = 60
    """The provider's clock may differ by this much."""
    time_limit_s: Annotated[int, Field(ge=1, le=60)] = 10
    """The provider has this long for each answer."""

    @property
    def on(self) -> bool:
        """Whether there is a provider to sign in by."""
        return bool(self.issuer and self.client_id)

    @property
    def shown_name(self) -> str:
        """What people know the provider by."""
        return self.name or urlsplit(self.issuer).hostname or ""


class IncidentSettings(Section):
    """When the team server's rules raise an incident, and where they report it."""

    window_minutes: Annotated[int, Field(ge=1, le=1_440)] = 10
    """Failed sign-ins, exports and refusals are counted over this time."""
    failed_sign_ins: Annotated[int, Field(ge=2, le=10_000)] = 10
    """Failed sign-ins of one member."""
    failed_sign_ins_network: Annotated[int, Field(ge=2, le=10_000)] = 25
    """Failed sign-ins from one network."""
    exports: Annotated[int, Field(ge=2, le=1_000_000)] = 300
    """Originals and copies that one member takes away."""
    refusals: Annotated[int, Field(ge=2, le=10_000)] = 20
    """Requests of one member that their role does not allow."""
    networks_minutes: Annotated[int, Field(ge=0, le=1_440)] = 5
    """A session or token used from two networks within this time; 0 allows it."""
    work_from: TimeOfDay = "07:00"
    """Start of the working hours; searching by a face at other times is an incident. Empty allows it at any time."""
    work_until: TimeOfDay = "20:00"
    """End of the working hours, by the server's clock."""
    email_to: tuple[EmailAddress, ...] = ()
    """Addresses that are told of each incident."""
    email_from: Annotated[str, Field(pattern=r"^([^@\s,<>]+@[^@\s,<>]+)?$", max_length=254, examples=["popup@example.org"])] = ""
    """The sender's address; empty is the first of `email_to`."""
    smtp_host: Annotated[str, Field(max_length=253)] = ""
    """The mail server; empty sends no e-mail."""
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    """Its port: usually 587 for `starttls`, 465 for `tls`."""
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    """How the connection is encrypted; `none` sends no password."""
    smtp_user: Annotated[str, Field(max_length=254)] = ""
    """The user name at the mail server; its password is set by `ai-popup incidents secret email`."""
    webhook: HttpsAddress = ""
    """An https:// address that is told of each incident; its key is set by `ai-popup incidents secret webhook`."""
    webhook_inside: bool = False
    """The webhook may be in the team's own network or on this computer."""


class AlertSettings(Section):
    """What the team server watches of itself, and where it reports it. The mail server is the one of `incidents`."""

    look_s: Annotated[int, Field(ge=1, le=600)] = 15
    """Time between two looks."""
    hold_s: Annotated[int, Field(ge=0, le=3_600)] = 300
    """How long a condition lasts before its alert fires, and how long it is over before the alert ends; urgent ones take a fifth of it."""
    disk_low_percent: Annotated[int, Field(ge=0, le=99)] = 10
    """Alert if less than this is free on a disk with the server's data; 0 never does."""
    disk_full_percent: Annotated[int, Field(ge=0, le=99)] = 3
    """The same, as a critical alert."""
    backup_hours: Annotated[int, Field(ge=0, le=10_000)] = 30
    """Age of the newest backup; 0 allows any."""
    offsite_hours: Annotated[int, Field(ge=0, le=10_000)] = 50
    """Age of the newest offsite backup, if there is an offsite repository; 0 allows any."""
    certificate_days: Annotated[int, Field(ge=0, le=365)] = 14
    """Alert this long before the certificate expires."""
    queue_minutes: Annotated[int, Field(ge=1, le=10_000)] = 30
    """Photos wait for this long, and none was finished."""
    memory_percent: Annotated[int, Field(ge=1, le=100)] = 92
    """Memory in use on the server's computer; 100 never alerts."""
    failed_sign_ins: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Failed sign-ins of all members in ten minutes."""
    remind_hours: Annotated[int, Field(ge=0, le=1_000)] = 24
    """Report an alert again while it lasts; 0 never does."""
    email_to: tuple[EmailAddress, ...] = ()
    """Addresses that are told of alerts; empty takes those of `incidents.email_to`."""
    webhook: HttpsAddress = ""
    """An https:// address that is told of alerts; empty takes `incidents.webhook`. Its key is set by `ai-popup alerts secret webhook`."""
    ntfy_server: HttpsAddress = "https://ntfy.sh"
    """The ntfy server; a token for it is set by `ai-popup alerts secret ntfy`."""
    ntfy_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$", examples=["popup-and-random-letters"])] = ""
    """The topic at the ntfy server; without a token, anyone who knows it can read it. Empty sends nothing to ntfy."""
    inside: bool = False
    """The addresses of this section may be in the team's own network or on this computer."""
    heartbeat_url: HttpsAddress = ""
    """An https:// address that is requested while all is well, so that a service elsewhere notices when the server is silent."""
    heartbeat_minutes: Annotated[int, Field(ge=1, le=1_440)] = 5
    """Time between two requests of `heartbeat_url`."""
