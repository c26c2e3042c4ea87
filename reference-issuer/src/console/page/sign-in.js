import { signInChallenge } from './canonical.js';
import { Trouble, element, begin, post, run, say, sign } from './passkey.js';

begin();
const button = element('sign-in');

async function signIn() {
  say('Asking for your passkey.');
  const { issuer, nonce, relying_party_id: relyingParty } = await post('/approve/sign-in/challenge', {});
  // For this site and no other: what another issuer passed on would be good there.
  if (issuer !== location.origin) throw new Trouble('The issuer says that it is another one. Nothing was signed.');
  const evidence = await sign(await signInChallenge({ issuer, nonce }), relyingParty, []);
  try {
    await post('/approve/sign-in', { nonce, evidence });
  } catch {
    throw new Trouble('That passkey is not known here. Nobody was signed in.');
  }
  location.reload();
}

if (button) {
  button.hidden = false;
  button.addEventListener('click', () => run(signIn));
  // Whoever follows a link from elsewhere comes without the cookie, which no other site makes a
  // browser send. Loaded again from here, the page comes with it.
  const answer = await fetch('/approve/session').catch(() => null);
  if ((await answer?.json())?.signed_in) location.reload();
}
