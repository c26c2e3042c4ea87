// Deciding on the request that this page shows. What is signed is computed from the document that
// stands on the page; an answer that disagrees with it ends here.
import { challenge as bytesToSign, digest, narrowed, toBase64url } from './canonical.js';
import { Trouble, element, begin, post, run, say, sign } from './passkey.js';

begin();
// After a decision the page is loaded again, and says what came of it.
if (location.hash === '#decided') {
  history.replaceState(null, '', location.pathname);
  element('title').focus();
}

const CHANGED = 'This is not the request that you see: it has changed, or something between you and the issuer has changed it. Nothing was signed.';

const shown = JSON.parse(element('document').textContent);
const form = element('decision');
const boxes = [...document.querySelectorAll('[data-statement]')];

/** What comes with a part that is ticked cannot be taken away alone. */
function settle() {
  for (const box of boxes) box.disabled = boxes.some((other) => other !== box && includes(other, box) && other.checked);
  for (const box of boxes) if (box.disabled) box.checked = true;
}

const includes = (one, other) =>
  one.dataset.statement === other.dataset.statement && one.dataset.includes.split(' ').includes(other.dataset.action);

/** The members that are agreed to where they are less than what was asked for. */
function agreed() {
  const less = {};
  if (boxes.some((box) => !box.checked)) {
    less.permissions = shown.request.permissions.flatMap((statement, number) => {
      const own = boxes.filter((box) => Number(box.dataset.statement) === number);
      const kept = own.filter((box) => box.checked);
      if (kept.length === own.length) return [statement];
      const actions = kept.filter((box) => !box.disabled).map((box) => box.dataset.action);
      return actions.length > 0 ? [{ ...statement, actions }] : [];
    });
    if (less.permissions.length === 0) throw new Trouble('Nothing is left to agree to. Deny the request instead.');
  }
  const lifetime = element('lifetime')?.value;
  if (lifetime) less.lifetime_seconds = Number(lifetime);
  const renewal = element('renewal')?.value;
  if (renewal) less.renewable_until = renewal;
  return less;
}

/** Opens a challenge, and holds it to what is on the page. */
async function open(decision, less) {
  const { challenge, agreed: words } = await post(`/approve/${form.dataset.request}/challenge`, { decision, ...less });
  const wanted = Object.keys(less).length > 0 ? narrowed(shown, less) : shown;
  const wantedDigest = await digest(wanted);
  const bytes = await bytesToSign({ approver: challenge.approver, decision, digest: wantedDigest, nonce: challenge.nonce });
  const isRight =
    challenge.request_id === shown.request_id &&
    challenge.version === wanted.version &&
    challenge.digest === wantedDigest &&
    challenge.decision === decision &&
    challenge.approver === form.dataset.approver &&
    challenge.challenge === toBase64url(bytes);
  if (!isRight) throw new Trouble(CHANGED, true);
  return { challenge, bytes, words };
}

/** Goes where the person proves who they are, with the challenge. What comes back is at /approve/callback. */
async function leave({ challenge }, { method, issuer, client: client_id }, reason) {
  say(`Going to ${issuer}.`);
  const { location: there } = await post('/approve/leave', { challenge_id: challenge.id, method, issuer, client_id, ...reason });
  const url = new URL(there);
  if (!/^https?:$/.test(url.protocol)) throw new Trouble(CHANGED);
  // What an ID token will say was agreed to; details that were pushed do not show here.
  if (method !== 'oauth' && url.searchParams.get('nonce') !== challenge.challenge) throw new Trouble(CHANGED, true);
  sessionStorage.setItem('request', form.dataset.request);
  location.assign(url);
}

async function submit({ challenge, bytes }) {
  const way = element('way').selectedOptions[0].dataset;
  const words = element('reason').value.trim();
  const reason = words ? { reason: words } : {};
  if (way.issuer) return leave({ challenge }, way, reason);
  say('Asking for your passkey.');
  const evidence = await sign(bytes, challenge.relying_party_id, challenge.allow_credentials);
  await post(`/approve/${form.dataset.request}/decision`, {
    challenge_id: challenge.id,
    method: way.method,
    evidence,
    ...reason,
  });
  location.hash = 'decided';
  location.reload();
}

let opened = null;

function review({ challenge, words }) {
  element('agreed').replaceChildren(
    ...words.consent.map((line) => {
      const item = document.createElement('li');
      const text = document.createElement('bdi');
      text.textContent = line;
      item.append(text);
      return item;
    }),
  );
  element('agreed-lifetime').textContent = words.lifetime;
  element('agreed-renewal').textContent = words.renewal;
  element('agreed-version').textContent = challenge.version;
  element('agreed-digest').textContent = challenge.digest;
  element('decide').hidden = true;
  element('review').hidden = false;
  say('');
  element('review-title').focus();
}

async function approve() {
  const less = agreed();
  opened = await open('approve', less);
  if (opened.words) review(opened);
  else await submit(opened);
}

async function prepare() {
  if ((await digest(shown)) !== element('digest').textContent) throw new Trouble(CHANGED, true);
  settle();
  boxes.forEach((box) => box.addEventListener('change', settle));
  element('decide').hidden = false;
  element('approve').addEventListener('click', () => run(approve));
  element('deny').addEventListener('click', () => run(async () => submit(await open('deny', {}))));
  element('sign').addEventListener('click', () => run(() => submit(opened)));
  element('back').addEventListener('click', () => {
    element('review').hidden = true;
    element('decide').hidden = false;
    element('approve').focus();
  });
  form.addEventListener('submit', (event) => event.preventDefault());
}

if (form) run(prepare);
