"""Bearer tokens of the OpenID Connect provider, which programs send for the people who use them."""

import logging

from starlette.types import Scope

from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.member_principals import MemberPrincipals
from api.access.principal import Principal
from api.errors import ErrorCode
from api.web.identification import wrong_credential
from api.web.responses import HttpError
from api.web.sign_in.cached_document import ProviderError
from api.web.sign_in.provider import OidcProvider
from api.web.sign_in.tokens import TokenError, verified_claims, verified_email

logger = logging.getLogger("accord.sign_in")


class OidcBearerTokens:
    """Verifies bearer tokens for one audience. A token stands for the member with its verified e-mail address."""

    def __init__(
        self, provider: OidcProvider, audience: str, members: MemberPrincipals, attempts: WrongAttempts
    ) -> None:
        self._provider = provider
        self._audience = audience
        self._members = members
        self._attempts = attempts

    async def principal(self, token: str, scope: Scope) -> Principal:
        """Return the member of a token.

        Errors: HttpError 401 NOT_AUTHENTICATED for any token that is not accepted, or 429 TOO_MANY_ATTEMPTS if too many
                came from the address. The message is the same for every token; the log has the reason.
        """
        try:
            email = verified_email(await verified_claims(self._provider, token, self._audience))
        except TokenError as error:
            raise self._refusal(scope, str(error)) from error
        except ProviderError as error:
            raise self._refusal(scope, f"the provider failed: {error}") from error
        member = await self._members.with_email(email)
        if member is None:
            raise self._refusal(scope, f"no member with access has the address {email!a}")
        return member

    def _refusal(self, scope: Scope, reason: str) -> HttpError:
        """The error for a refused token. Its reason is logged, unless too many came: nobody can flood the log."""
        refusal = wrong_credential(
            self._attempts, scope, "The bearer token is not accepted.", "Request a new token, or send an API key."
        )
        if refusal.code is ErrorCode.NOT_AUTHENTICATED:
            logger.warning("A bearer token was refused: %a", reason)  # parts of it may be the caller's words
        return refusal
