// An identity provider that is not ours: oidc-provider, with the least that the page needs of it. Its
// log-in is a form with an account, and how the person proved that it is theirs.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

export const CLASS = 'urn:example:two-factors';

/** Starts a provider that knows the issuer as a client. */
export async function startProvider(redirectUri) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://localhost:${server.address().port}`;
  const key = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'ec', alg: 'ES256' };
  const rsa = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'rsa', alg: 'RS256' };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'clp',
        client_secret: 'not-a-secret',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        authorization_details_types: ['clp_approval'],
        introspection_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [rsa, key] },
    acrValues: [CLASS],
    cookies: { keys: ['not-a-secret'] },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'opaque' }),
        useGrantedResource: () => true,
      },
      richAuthorizationRequests: {
        enabled: true,
        types: { clp_approval: { validate: () => {} } },
        authorizationDetailsForGrantSource: (ctx) => JSON.parse(ctx.oidc.params.authorization_details),
        authorizationDetailsForAccessToken: (ctx, token, source) => source.rar,
        authorizationDetailsForIntrospection: (ctx, token) => token.rar,
      },
    },
  });

  async function interact(request, response) {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      const details = params.authorization_details ?? '';
      response.end(`<!doctype html><html lang="en"><title>Provider</title><link rel="icon" href="data:,"><main><h1>${prompt.name}</h1>
        <pre>${details.replace(/[<&]/g, '')}</pre>
        <form method="post"><label>Account <input name="login"></label><label>Class <input name="acr"></label>
        <button name="go" value="yes">Continue</button><button name="go" value="no">Cancel</button></form></main></html>`);
      return;
    }
    let text = '';
    for await (const chunk of request) text += chunk;
    const form = new URLSearchParams(text);
    const result = {};
    if (form.get('go') === 'no') {
      result.error = 'access_denied';
    } else if (prompt.name === 'login') {
      result.login = { accountId: form.get('login'), acr: form.get('acr') || undefined };
    } else {
      const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope('openid');
      result.consent = { grantId: await grant.save() };
    }
    await provider.interactionFinished(request, response, result);
  }

  const callback = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return callback(request, response);
    return interact(request, response).catch((fault) => {
      response.statusCode = 500;
      response.end(String(fault));
    });
  });
  const publicKey = ({ kty, crv, x, y, n, e, use, kid, alg }) => JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, use, kid, alg }));
  return {
    issuer,
    /** What the issuer has to know to trust it for these methods. */
    relation: (principal, methods) => ({
      issuer,
      client_id: 'clp',
      client_secret: 'not-a-secret',
      methods,
      acr_values: [CLASS],
      jwks: { keys: [publicKey(rsa), publicKey(key)] },
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      pushed_authorization_request_endpoint: `${issuer}/request`,
      introspection_endpoint: `${issuer}/token/introspection`,
      accounts: [{ subject: 'ben@example', principal }],
    }),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
