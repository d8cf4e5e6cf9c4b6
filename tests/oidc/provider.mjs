// An OpenID Connect provider for the tests: accounts and keys come from the environment, people sign in with any password.
import { Provider } from "oidc-provider";

const { port, jwks, accounts, redirectUri, audience } = JSON.parse(process.env.PROVIDER);
const issuer = `http://127.0.0.1:${port}`;

const client = {
  redirect_uris: [redirectUri],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  id_token_signed_response_alg: "ES256",
};

const provider = new Provider(issuer, {
  jwks,
  clients: [
    { ...client, client_id: "pages", token_endpoint_auth_method: "none" },
    { ...client, client_id: "secretive", client_secret: "geheim +&%", token_endpoint_auth_method: "client_secret_basic" },
    { ...client, client_id: "program", token_endpoint_auth_method: "none" },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  scopes: ["openid", "email"],
  pkce: { required: () => true },
  cookies: { keys: ["of the tests"] },
  features: {
    resourceIndicators: {
      enabled: true,
      // A program names what its token is for; a page does not.
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        scope: "email",
        audience: resource,
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
        jwt: { sign: { alg: resource === audience ? "RS256" : "ES256" } },
      }),
    },
  },
  findAccount: (_context, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
  extraTokenClaims: (_context, token) => accounts[token.accountId],
  ttl: { Session: 3600, Grant: 3600, Interaction: 600, IdToken: 300 },
});

provider.listen(port, "127.0.0.1", () => console.log(`The provider listens on ${issuer}`));
