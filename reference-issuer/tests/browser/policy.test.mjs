// What the organisation and the requester can change about a decision, seen on the page.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessible, call, launch, person, sandbox, shot, startIssuer } from './support.mjs';

let issuer;
let browser;
before(async () => {
  issuer = await startIssuer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  issuer?.stop();
});

const approve = (page) => page.getByRole('button', { name: 'Approve', exact: true });
const title = (page, words) => page.getByRole('heading', { level: 1, name: words }).waitFor();

async function signedIn(token, uri) {
  const somebody = await person(browser);
  await somebody.enrol(issuer.origin, token);
  await somebody.signIn(uri);
  return somebody;
}

/** Adds somebody to a tenant. */
async function added(place, body) {
  const made = await place.control('POST', '/principals', body);
  assert.equal(made.status, 201, made.text);
  return made.json;
}

describe('who asks', () => {
  test('and for whom, stands on the page, with the code that the requester sees', async () => {
    const place = await sandbox(issuer);
    const agent = await added(place, {
      name: 'helper', kind: 'agent', acts_for: place.principals.owner.id, actions: ['read', 'request'],
    });
    const request = await place.request({}, agent.token);
    const ben = await signedIn(place.principals.approver.token, request.approval_uri);
    const who = await ben.page.locator('dd').first().innerText();
    assert.ok(who.startsWith('helper (agent), for owner (person)'), who);
    assert.match(request.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    assert.equal(await ben.page.locator('#code').textContent(), request.user_code);
    await accessible(ben.page, 'actors');
    await shot(ben.page, 'desktop-light-actors');
    ben.settle();
    await ben.close();
  });

  test('an agent gets no passkey', async () => {
    const place = await sandbox(issuer);
    const agent = await added(place, { name: 'helper', kind: 'agent', actions: ['read', 'approve'] });
    const robot = await person(browser);
    await robot.page.goto(`${issuer.origin}/approve/enrol`);
    await robot.page.getByLabel('Your bearer token').fill(agent.token);
    await robot.page.getByRole('button', { name: 'Make a passkey' }).click();
    await robot.page.getByText('Nobody here has that token.').waitFor();
    robot.settle(/401/);
    await robot.close();
  });

  test('and is shut out, is out at once', async () => {
    const place = await sandbox(issuer);
    const dana = await added(place, { name: 'dana', actions: ['read', 'approve'] });
    const request = await place.request();
    const somebody = await signedIn(dana.token, request.approval_uri);
    const shut = await place.control('PUT', `/principals/${dana.id}`, { actions: ['read', 'approve'], disabled: true });
    assert.ok(shut.status < 300, shut.text);
    await approve(somebody.page).click();
    await somebody.page.getByText('You are not signed in any more').waitFor();
    await somebody.page.reload();
    await somebody.page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await somebody.page.getByText('That passkey is not known here').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    somebody.settle(/401/);
    await somebody.close();
  });
});

describe('a policy', () => {
  test('of two people is counted, and one of them counts once', async () => {
    const place = await sandbox(issuer);
    const dana = await added(place, { name: 'dana', actions: ['read', 'approve'] });
    const set = await place.control('PUT', '/approval-policy', { approvals_required: 2 });
    assert.ok(set.status < 300, set.text);
    const request = await place.request();
    const ben = await signedIn(place.principals.approver.token, request.approval_uri);
    await ben.page.getByText('0 of 2 people have agreed').waitFor();
    await approve(ben.page).click();
    await ben.page.getByText('1 of 2 people have agreed').waitFor();
    await accessible(ben.page, 'quorum');
    await approve(ben.page).click();
    await ben.page.getByText('You cannot decide on this request').waitFor();
    const other = await signedIn(dana.token, request.approval_uri);
    await approve(other.page).click();
    await title(other.page, 'Approved');
    assert.equal((await place.create(request.id)).status, 201);
    ben.settle(/403|409|422/);
    other.settle();
    await ben.close();
    await other.close();
  });

  test('that wants another method says so before anything is signed, where it can', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    const ben = await signedIn(place.principals.approver.token, request.approval_uri);
    const set = await place.control('PUT', '/approval-policy', { methods: ['oidc'] });
    assert.ok(set.status < 300, set.text);
    await approve(ben.page).click();
    await ben.page.getByText('Your organisation wants another way to sign').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    ben.settle(/403/);
    await ben.close();
  });
});

describe('a request that changes under the reader’s eyes', () => {
  test('is not signed as it was, and is seen as it is', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    const ben = await signedIn(place.principals.approver.token, request.approval_uri);
    const { headers } = await call(place.principals.owner.token, 'GET', `${place.e}/requests/${request.id}`);
    const amended = await call(
      place.principals.owner.token, 'PATCH', `${place.e}/requests/${request.id}`,
      { lifetime_seconds: 86400 }, { 'if-match': headers.get('etag') },
    );
    assert.equal(amended.status, 200, amended.text);
    await approve(ben.page).click();
    await ben.page.getByText('This is not the request that you see').waitFor();
    await ben.page.getByRole('button', { name: 'Load the page again' }).click();
    await ben.page.getByText('that lives for 1 day').waitFor();
    await approve(ben.page).click();
    await title(ben.page, 'Approved');
    assert.equal((await place.read(request.id)).approvals[0].version, 2);
    ben.settle();
    await ben.close();
  });

  test('or is taken back, is not decided on', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    const ben = await signedIn(place.principals.approver.token, request.approval_uri);
    const { headers } = await call(place.principals.owner.token, 'GET', `${place.e}/requests/${request.id}`);
    const gone = await call(
      place.principals.owner.token, 'DELETE', `${place.e}/requests/${request.id}`, undefined,
      { 'if-match': headers.get('etag') },
    );
    assert.equal(gone.status, 200, gone.text);
    await approve(ben.page).click();
    await ben.page.getByText('Somebody has decided on this request in the meantime').waitFor();
    await ben.page.getByRole('button', { name: 'Load the page again' }).click();
    await title(ben.page, 'Taken back');
    ben.settle(/409/);
    await ben.close();
  });
});

describe('renewal', () => {
  test('can be given an end', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    const ben = await signedIn(place.principals.approver.token, request.approval_uri);
    await ben.page.getByText('Agree to less').click();
    await ben.page.getByLabel('Can be renewed').selectOption('for 7 days from now');
    await approve(ben.page).click();
    await ben.page.getByText('It can be renewed by rotation without asking again, until').waitFor();
    await ben.page.getByRole('button', { name: 'Approve this' }).click();
    await title(ben.page, 'Approved');
    const agreed = (await place.read(request.id)).approval_document.request;
    assert.ok(agreed.rotation_policy.renewable_until);
    ben.settle();
    await ben.close();
  });
});
