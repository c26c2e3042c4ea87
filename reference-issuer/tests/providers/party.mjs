// The issuer's part by another library: what openid-client makes of it, used as its documentation
// has it. Nothing in it is of this protocol but the nonce and the details.
import * as client from 'openid-client';
import { visit } from './person.mjs';

export async function decide(asked, issuer, { client_id, client_secret, redirect_uri }) {
  const config = await client.discovery(
    new URL(issuer), client_id, { introspection_signed_response_alg: 'ES256' },
    client.ClientSecretBasic(client_secret), { execute: [client.allowInsecureRequests] },
  );
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const parameters = {
    redirect_uri,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  let url;
  if (asked.method === 'oauth') {
    [parameters.resource] = asked.detail.locations;
    parameters.authorization_details = JSON.stringify([asked.detail]);
    url = await client.buildAuthorizationUrlWithPAR(config, parameters);
  } else {
    Object.assign(parameters, { scope: 'openid', nonce: asked.challenge, max_age: '0' });
    if (asked.acr) parameters.acr_values = asked.acr;
    url = client.buildAuthorizationUrl(config, parameters);
  }
  const back = new URL(await visit({ ...asked, url }, { redirect_uri }));
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier,
    expectedState: state,
    ...(asked.method !== 'oauth' && { expectedNonce: asked.challenge, maxAge: 0, idTokenExpected: true }),
  });
  if (asked.method !== 'oauth') return { id_token: tokens.id_token };
  // It checks the signature of the answer, and gives the claims alone; so the answer is taken from
  // the wire.
  let introspection;
  config[client.customFetch] = async (...request) => {
    const answer = await fetch(...request);
    introspection = await answer.clone().text();
    return answer;
  };
  const said = await client.tokenIntrospection(config, tokens.access_token);
  if (!said.active) throw new Error('the token is not active');
  return { introspection };
}
