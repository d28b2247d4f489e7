"""Messages by e-mail."""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from agent.domain.errors import MailFailed
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.infrastructure.core.server_settings import SmtpSecurity

_LIMIT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    security: SmtpSecurity
    user: str


class Mail:
    """Its methods block."""

    def __init__(self, trust: ssl.SSLContext | None = None) -> None:
        """`trust`: the certificates to accept, None for the system's."""
        self._trust = trust

    def send(self, by: MailServer, password: str | None, sender: str, to: Sequence[str], *, subject: str, text: str, number: str) -> None:
        """`number` is the message's own, by which a mail program knows one that was sent twice. Raises MailFailed."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, ", ".join(to), subject
        message["Date"], message["Message-ID"] = formatdate(), f"<{number}@{sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        with outgoing(Peer.MAIL), self._signed_in(by, password) as server:
            server.send_message(message, sender, list(to))

    def try_out(self, by: MailServer, password: str | None) -> None:
        """Sign in as for a message, and send none. Raises MailFailed."""
        with self._signed_in(by, password) as server:
            server.noop()

    @contextmanager
    def _signed_in(self, by: MailServer, password: str | None) -> Iterator[smtplib.SMTP]:
        """Raises MailFailed, also for what fails inside."""
        try:
            with self._connected(by) as server:
                if by.user and password and by.security is not SmtpSecurity.NONE:
                    server.login(by.user, password)
                yield server
        except ssl.SSLError as error:
            raise MailFailed(encryption=1) from error
        except smtplib.SMTPAuthenticationError as error:
            raise MailFailed(sign_in=1) from error
        except (smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected, OSError) as error:
            # All of smtplib's errors are an OSError.
            kind = "refused" if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) else "connect"
            raise MailFailed(**{"encryption" if isinstance(error, smtplib.SMTPNotSupportedError) else kind: 1}) from error

    def _connected(self, by: MailServer) -> smtplib.SMTP:
        trust = self._trust or ssl.create_default_context()
        if by.security is SmtpSecurity.TLS:
            return smtplib.SMTP_SSL(by.host, by.port, timeout=_LIMIT_S, context=trust)
        server = smtplib.SMTP(by.host, by.port, timeout=_LIMIT_S)
        try:
            if by.security is SmtpSecurity.STARTTLS:
                server.starttls(context=trust)
        except BaseException:
            server.close()
            raise
        return server
