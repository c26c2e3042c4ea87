// Deciding by what an identity provider signs, through the page, with a provider that is not ours.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CLASS, startProvider } from './provider.mjs';
import { accessible, launch, person, sandbox, shot, startIssuer } from './support.mjs';

let issuer;
let provider;
let browser;
before(async () => {
  issuer = await startIssuer();
  provider = await startProvider(`${issuer.origin}/approve/callback`);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  provider?.stop();
  issuer?.stop();
});

async function atTheDesk(methods = ['oidc', 'sso', 'oauth']) {
  const place = await sandbox(issuer);
  const { id, token } = place.principals.approver;
  const trusted = await place.control('POST', '/identity-providers', provider.relation(id, methods));
  assert.ok(trusted.status < 300, trusted.text);
  const request = await place.request();
  const ben = await person(browser);
  await ben.enrol(issuer.origin, token);
  await ben.signIn(request.approval_uri);
  return { place, request, ben, page: ben.page };
}

const choose = (page, method) => page.getByLabel('Sign with').selectOption(`${provider.issuer} (${method})`);
const title = (page, words) => page.getByRole('heading', { level: 1, name: words }).waitFor();

/** What a person does at the provider: says who they are and how, and agrees. */
async function atTheProvider(page, { login = 'ben@example', acr = '' } = {}) {
  await page.waitForURL(/\/interaction\//);
  await page.getByLabel('Account').fill(login);
  await page.getByLabel('Class').fill(acr);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'consent' }).waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
}

describe('a decision by an identity provider', () => {
  for (const [method, who] of [['oidc', {}], ['sso', { acr: CLASS }], ['oauth', {}]]) {
    test(`${method}: approves, and the credential is made`, async () => {
      const { place, request, ben, page } = await atTheDesk();
      await accessible(page, 'several ways');
      if (method === 'oidc') await shot(page, 'desktop-light-ways');
      await choose(page, method);
      await page.getByLabel('Why, in your words').fill(`by ${method}`);
      await page.getByRole('button', { name: 'Approve', exact: true }).click();
      await atTheProvider(page, who);
      await title(page, 'Approved');
      assert.ok(!page.url().includes('code='));
      const read = await place.read(request.id);
      assert.equal(read.state, 'approved');
      assert.equal(read.approvals[0].method, method);
      assert.equal(read.approvals[0].reason, `by ${method}`);
      assert.equal(read.approvals[0].approver, place.principals.approver.id);
      const made = await place.create(request.id);
      assert.equal(made.status, 201, made.text);
      ben.settle();
      await ben.close();
    });
  }

  test('can deny, and can agree to less', async () => {
    const first = await atTheDesk();
    await choose(first.page, 'oidc');
    await first.page.getByRole('button', { name: 'Deny', exact: true }).click();
    await atTheProvider(first.page);
    await title(first.page, 'Denied');
    await first.ben.close();

    const { place, request, ben, page } = await atTheDesk();
    await choose(page, 'oauth');
    await page.getByText('Agree to less').click();
    await page.getByLabel('Delete the records').uncheck();
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByRole('button', { name: 'Approve this' }).click();
    await atTheProvider(page);
    await title(page, 'Approved');
    const made = await place.create(request.id);
    assert.deepEqual(made.json.permissions[0].actions, ['write']);
    ben.settle();
    await ben.close();
  });

  for (const [what, method, who] of [
    ['somebody else', 'oidc', { login: 'eve@example' }],
    ['a weaker class of authentication', 'sso', { acr: '' }],
  ]) {
    test(`is refused by ${what}`, async () => {
      const { place, request, ben, page } = await atTheDesk();
      await choose(page, method);
      await page.getByRole('button', { name: 'Approve', exact: true }).click();
      await atTheProvider(page, who);
      await page.getByText('The issuer did not accept what was signed').waitFor();
      await accessible(page, what);
      await page.getByRole('link', { name: 'Back to the request' }).click();
      await title(page, 'Approve this request?');
      assert.equal((await place.read(request.id)).state, 'pending_approval');
      ben.settle(/422/);
      await ben.close();
    });
  }

  test('that is cancelled there decides nothing', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await choose(page, 'oidc');
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The provider did not confirm it').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    ben.settle();
    await ben.close();
  });

  test('comes back to the browser that left, and once', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await choose(page, 'oidc');
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    // Stopped on the way back, with the code still in the address.
    await page.route('**/approve/callback.js', (route) => route.abort());
    await atTheProvider(page);
    await page.waitForURL(/\/approve\/callback\?/);
    const back = page.url();
    await page.unroute('**/approve/callback.js');

    // Somebody else of the same tenant follows the address that Ben should have come back to.
    const eve = await person(browser);
    await eve.enrol(issuer.origin, place.principals.bystander.token);
    await eve.signIn(request.approval_uri);
    await eve.page.goto(back);
    await eve.page.getByText('Nothing was decided').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    eve.settle(/409/);
    await eve.close();

    // That used it up for everybody.
    await page.goto(back);
    await page.getByText('Nothing was decided').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    await ben.close();
  });

  test('goes to the provider with nothing but this challenge', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await choose(page, 'oidc');
    await page.route('**/approve/leave', async (route) => {
      const answer = await route.fetch();
      const { location } = await answer.json();
      const changed = new URL(location);
      changed.searchParams.set('nonce', 'a'.repeat(43));
      await route.fulfill({ response: answer, json: { location: changed.href } });
    });
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByText('This is not the request that you see').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    ben.settle();
    await ben.close();
  });
});
