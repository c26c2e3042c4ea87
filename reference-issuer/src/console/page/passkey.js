// Passkeys, calls of this origin, and what is said when either goes wrong.
import { fromBase64url, toBase64url } from './canonical.js';

/** A refusal, or something that went wrong here, in words for a person. */
export class Trouble extends Error {
  constructor(words, again = false) {
    super(words);
    this.again = again;
  }
}

const WORDS = {
  unauthenticated: ['You are not signed in any more. Load the page again and sign in.', true],
  'request-not-pending': ['Somebody has decided on this request in the meantime, or its time is over. Nothing was signed.', true],
  'challenge-not-usable': ['That took too long, or the request has changed. Nothing was decided; try again.', true],
  'separation-of-duty': ['You cannot decide on this request: you asked for it, or it was asked for on your behalf.', false],
  'evidence-invalid': ['The issuer did not accept what was signed. Nothing was decided.', false],
  'method-not-supported': ['That way to sign is not taken here. Choose another.', false],
  'scope-broader': ['That is more than was asked for. Nothing was signed.', true],
  'insufficient-user-authentication': ['Your organisation wants another way to sign for this. Load the page again and choose one.', true],
  'rate-limited': ['Too many attempts. Wait a minute.', false],
  forbidden: ['You may not decide on this request.', false],
  'not-found': ['There is no such request any more, or none that you may see.', true],
};

/** Sends JSON to this origin and answers the JSON that comes back. */
export async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: 'POST',
      credentials: 'same-origin',
      redirect: 'error',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Trouble('The issuer does not answer. Check the connection and try again.');
  }
  if (answer.status === 204) return null;
  const json = await answer.json().catch(() => ({}));
  if (answer.ok) return json;
  const name = String(json.type ?? '').split('/').pop();
  const [words, again] = WORDS[name] ?? [`The issuer refused: ${json.detail ?? json.title ?? answer.status}.`, false];
  throw new Trouble(words, again);
}

/** Lets an authenticator sign. Without credential ids it offers those that it has for this site. */
export async function sign(challenge, relyingParty, credentials) {
  let made;
  try {
    made = await navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: relyingParty,
        userVerification: 'required',
        allowCredentials: credentials.map((id) => ({ type: 'public-key', id: fromBase64url(id) })),
      },
    });
  } catch (fault) {
    throw new Trouble(`Nothing was signed: ${reason(fault)}`);
  }
  const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
  const response = {
    clientDataJSON: toBase64url(clientDataJSON),
    authenticatorData: toBase64url(authenticatorData),
    signature: toBase64url(signature),
  };
  if (userHandle && userHandle.byteLength > 0) response.userHandle = toBase64url(userHandle);
  return { id: made.id, rawId: toBase64url(made.rawId), type: made.type, response };
}

function reason(fault) {
  return fault.name === 'NotAllowedError'
    ? 'it was cancelled, took too long, or there is no passkey here for this site.'
    : `the authenticator says ${fault.name}.`;
}

/** Makes a passkey as the issuer's options say. */
export async function make(options) {
  const key = options.publicKey;
  let made;
  try {
    made = await navigator.credentials.create({
      publicKey: {
        ...key,
        challenge: fromBase64url(key.challenge),
        user: { ...key.user, id: fromBase64url(key.user.id) },
        excludeCredentials: [],
      },
    });
  } catch (fault) {
    throw new Trouble(`No passkey was made: ${reason(fault)}`);
  }
  return {
    id: made.id,
    rawId: toBase64url(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: toBase64url(made.response.clientDataJSON),
      attestationObject: toBase64url(made.response.attestationObject),
    },
    extensions: {},
  };
}

/** The element with this id, or null. */
export const element = (id) => document.getElementById(id);

/** Says what is going on, for eyes and ears alike. */
export function say(words) {
  const progress = element('progress');
  if (progress) progress.textContent = words;
}

/** Runs what a button does. While it runs nothing else can be pressed; what goes wrong is shown and read out. */
export async function run(work) {
  const buttons = [...document.querySelectorAll('button')];
  const trouble = element('trouble');
  trouble.replaceChildren();
  buttons.forEach((button) => (button.disabled = true));
  try {
    await work();
  } catch (fault) {
    say('');
    const known = fault instanceof Trouble;
    trouble.append(paragraph(known ? fault.message : 'Something went wrong on this page. Nothing was decided.'));
    if (!known || fault.again) trouble.append(reload());
    trouble.focus();
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

function paragraph(text) {
  const made = document.createElement('p');
  made.textContent = text;
  return made;
}

function reload() {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Load the page again';
  button.addEventListener('click', () => location.reload());
  return button;
}

/** Scripts run: the page need not say that they do not, and signing out works alike everywhere. */
export function begin() {
  element('without')?.remove();
  const button = element('sign-out');
  if (!button) return;
  button.hidden = false;
  button.addEventListener('click', () =>
    run(async () => {
      await post('/approve/sign-out', {});
      location.reload();
    }),
  );
}
