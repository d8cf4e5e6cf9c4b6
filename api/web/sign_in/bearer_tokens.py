"""Bearer tokens of the OpenID Connect provider, which programs send for the people who use them."""

import logging

from starlette.types import Scope

from api.access.credentials.member_principals import MemberPrincipals
from api.access.principal import Principal
from api.web.identification import not_authenticated
from api.web.sign_in.cached_document import ProviderError
from api.web.sign_in.provider import OidcProvider
from api.web.sign_in.tokens import TokenError, verified_claims, verified_email

logger = logging.getLogger("accord.sign_in")


class OidcBearerTokens:
    """Verifies bearer tokens for one audience. A token stands for the member with its verified e-mail address."""

    def __init__(self, provider: OidcProvider, audience: str, members: MemberPrincipals) -> None:
        self._provider = provider
        self._audience = audience
        self._members = members

    async def principal(self, token: str, _scope: Scope) -> Principal:
        """Return the member of a token.

        Errors: HttpError 401 NOT_AUTHENTICATED for any token that is not accepted. Its message is always the same; the
        log has the reason.
        """
        try:
            claims = await verified_claims(self._provider, token, self._audience)
            email = verified_email(claims)
        except TokenError as error:
            logger.warning("A bearer token was refused: %s", error)
        except ProviderError as error:
            logger.error("A bearer token could not be verified, because the provider failed: %s", error)  # noqa: TRY400
        else:
            member = await self._members.with_email(email)
            if member is not None:
                return member
            logger.warning("A bearer token was refused: no member with access has the address %a", email)
        raise not_authenticated("The bearer token is not accepted.", "Request a new token, or send an API key.")
