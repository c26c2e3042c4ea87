// An OpenID provider and authorization server, on a free port of the loopback interface. It prints
// one line of JSON when it can be called, then answers a line of commands with a line each, and
// ends when its standard input does.
import http from 'node:http';
import { once } from 'node:events';
import crypto from 'node:crypto';
import readline from 'node:readline';
import Provider from 'oidc-provider';
import { visit } from './person.mjs';
import { decide } from './party.mjs';

// What the provider has to say goes elsewhere than the answers.
console.info = console.error;
console.log = console.error;

const client = JSON.parse(process.argv[2]);
const server = http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://localhost:${server.address().port}`;

const key = (type, options, more) => ({
  ...crypto.generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  ...more,
});
const provider = new Provider(issuer, {
  clients: [{
    client_id: client.client_id,
    client_secret: client.client_secret,
    redirect_uris: [client.redirect_uri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    authorization_details_types: ['clp_approval'],
    introspection_signed_response_alg: 'ES256',
  }],
  jwks: {
    keys: [
      key('rsa', { modulusLength: 2048 }, { kid: 'rsa', alg: 'RS256' }),
      key('ec', { namedCurve: 'P-256' }, { kid: 'ec', alg: 'ES256' }),
    ],
  },
  acrValues: ['urn:example:two-factors'],
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
      // What was asked for and agreed to is what is granted, and what is said of the token.
      authorizationDetailsForGrantSource: (ctx) => JSON.parse(ctx.oidc.params.authorization_details),
      authorizationDetailsForAccessToken: (ctx, token, source) => source.rar,
      authorizationDetailsForIntrospection: (ctx, token) => token.rar,
    },
  },
});

// The page on which people log in and agree: a form with `login`, the account, and `acr`, how they
// proved it.
async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    response.end(`${prompt.name}?`);
    return;
  }
  let text = '';
  for await (const chunk of request) text += chunk;
  const form = new URLSearchParams(text);
  const result = {};
  if (prompt.name === 'login') {
    result.login = { accountId: form.get('login'), acr: form.get('acr') ?? undefined };
  } else {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid');
    result.consent = { grantId: await grant.save() };
  }
  await provider.interactionFinished(request, response, result);
}

const callback = provider.callback();
server.on('request', (request, response) => {
  if (!request.url.startsWith('/interaction/')) {
    callback(request, response);
    return;
  }
  interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
});

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ issuer });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    say(asked.url ? { location: await visit(asked, client) } : await decide(asked, issuer, client));
  } catch (error) {
    say({ error: `${error.error_description ?? ""} ${error.stack}` });
  }
}
process.exit(0);
