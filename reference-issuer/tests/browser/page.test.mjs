// The approval page in a real browser, from the click to the minted credential.
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

/** A tenant, and its approver at the page of a request, signed in. */
async function atTheDesk(changes = {}, options = {}) {
  const place = await sandbox(issuer);
  const request = await place.request(changes);
  const ben = await person(browser, options);
  await ben.enrol(issuer.origin, place.principals.approver.token);
  await ben.signIn(request.approval_uri);
  return { place, request, ben, page: ben.page };
}

const approve = (page) => page.getByRole('button', { name: 'Approve', exact: true });
const title = (page, words) => page.getByRole('heading', { level: 1, name: words }).waitFor();

describe('before somebody signs in', () => {
  test('nothing of the request shows, not even whether there is one', async () => {
    const place = await sandbox(issuer);
    const request = await place.request({ purpose: 'a purpose like no other' });
    const bogus = request.approval_uri.replace(/.{6}$/, '000000');
    const [there, nowhere] = await Promise.all([fetch(request.approval_uri), fetch(bogus)]);
    assert.equal(there.status, nowhere.status);
    const text = await there.text();
    assert.equal(text, await nowhere.text());
    for (const word of ['no other', 'atlas', request.digest, request.requester]) assert.ok(!text.includes(word), word);
  });

  test('another site can neither frame it nor call it', async () => {
    const place = await sandbox(issuer);
    const { approval_uri: uri } = await place.request();
    const { headers } = await fetch(uri);
    const policy = headers.get('content-security-policy');
    for (const directive of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) {
      assert.ok(policy.includes(directive), directive);
    }
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
    const path = `${issuer.origin}/approve/sign-in/challenge`;
    const send = (extra) =>
      fetch(path, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...extra } });
    assert.equal((await send({ origin: issuer.origin })).status, 201);
    assert.equal((await send({ origin: 'http://localhost:1' })).status, 403);
    assert.equal((await send({})).status, 403);
    assert.equal((await send({ origin: issuer.origin, 'sec-fetch-site': 'same-site' })).status, 403);
  });

  test('without scripts it says what is needed', async () => {
    const place = await sandbox(issuer);
    const { approval_uri: uri } = await place.request();
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(uri);
    await page.getByText('needs JavaScript').waitFor();
    assert.ok(!(await page.getByRole('button', { name: 'Sign in' }).isVisible()));
    await context.close();
  });

  test('a token that nobody has makes no passkey', async () => {
    const stranger = await person(browser);
    const { page } = stranger;
    await page.goto(`${issuer.origin}/approve/enrol`);
    await accessible(page, 'enrol');
    await page.getByLabel('Your bearer token').fill('nobody has this');
    await page.getByRole('button', { name: 'Make a passkey' }).click();
    await page.getByText('Nobody here has that token.').waitFor();
    await accessible(page, 'enrol, refused');
    stranger.settle(/401/);
    await stranger.close();
  });
});

describe('who is signed in', () => {
  test('approves, and the credential is made', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await title(page, 'Approve this request?');
    assert.ok(await page.getByText('Delete the records "atlas/*" for good').first().isVisible());
    assert.ok(await page.getByText('High risk').isVisible());
    await accessible(page, 'request');
    assert.equal((await place.create(request.id)).status, 409);
    await page.getByLabel('Why, in your words').fill('as agreed with billing');
    await approve(page).click();
    await title(page, 'Approved');
    await accessible(page, 'approved');
    const read = await place.read(request.id);
    assert.equal(read.state, 'approved');
    assert.equal(read.approvals[0].approver, place.principals.approver.id);
    assert.equal(read.approvals[0].method, 'passkey');
    assert.equal(read.approvals[0].reason, 'as agreed with billing');
    const made = await place.create(request.id);
    assert.equal(made.status, 201, made.text);
    await page.reload();
    await title(page, 'Approved and used');
    ben.settle();
    await ben.close();
  });

  test('agrees to less, sees it in words, and only that is made', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await page.getByText('Agree to less').click();
    const remove = page.getByLabel('Delete the records');
    const read = page.getByLabel('Read the records');
    assert.ok(await read.isDisabled(), 'reading comes with writing');
    await remove.uncheck();
    await page.getByLabel('Lives for').selectOption('6 hours');
    await accessible(page, 'narrowing');
    await approve(page).click();
    await page.getByRole('heading', { name: 'You agree to this, and no more' }).waitFor();
    const lines = await page.locator('#agreed li').allTextContents();
    assert.deepEqual(lines, ['Read the records "atlas/*"', 'Add and change the records "atlas/*"']);
    assert.equal(await page.locator('#agreed-lifetime').textContent(), '6 hours');
    assert.equal(await page.locator('#agreed-version').textContent(), '2');
    await accessible(page, 'review');
    await page.getByRole('button', { name: 'Back' }).click();
    await approve(page).click();
    await page.getByRole('button', { name: 'Approve this' }).click();
    await title(page, 'Approved');
    assert.ok(await page.getByText('less than was asked for: fewer permissions, and a shorter life than 12 hours').isVisible());
    const made = await place.create(request.id);
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(made.json.permissions, [{ resource_type: 'record', selector: 'atlas/*', actions: ['write'] }]);
    ben.settle();
    await ben.close();
  });

  test('cannot agree to nothing', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await page.getByText('Agree to less').click();
    await page.getByLabel('Delete the records').uncheck();
    await page.getByLabel('Add and change').uncheck();
    await page.getByLabel('Read the records').uncheck();
    await approve(page).click();
    await page.getByText('Nothing is left to agree to').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    ben.settle();
    await ben.close();
  });

  test('denies, and says why', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await page.getByLabel('Why, in your words').fill('nobody knows this job');
    await page.getByRole('button', { name: 'Deny', exact: true }).click();
    await title(page, 'Denied');
    assert.ok(await page.getByText('nobody knows this job').isVisible());
    await accessible(page, 'denied');
    const read = await place.read(request.id);
    assert.equal(read.state, 'denied');
    assert.equal(read.approvals[0].reason, 'nobody knows this job');
    assert.equal((await place.create(request.id)).status, 409);
    ben.settle();
    await ben.close();
  });

  test('decides by keyboard alone', async () => {
    const { place, request, ben, page } = await atTheDesk();
    const press = async (key, times = 1) => {
      for (let count = 0; count < times; count += 1) await page.keyboard.press(key);
    };
    /** Tabs on until the element has the focus. */
    const reach = async (name) => {
      for (let count = 0; count < 40; count += 1) {
        const at = await page.evaluate(() => {
          const { activeElement: one } = document;
          return one === document.body ? '' : `${one.id} ${one.textContent}`;
        });
        if (at.includes(name)) return;
        await press('Tab');
      }
      assert.fail(`${name} cannot be reached`);
    };
    await reach('Agree to less');
    await press('Enter');
    await reach('lifetime');
    await page.keyboard.type('1 hour');
    await reach('approve Approve');
    await press('Enter');
    await page.getByRole('heading', { name: 'You agree to this, and no more' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'review-title');
    await reach('sign Approve this');
    await press('Enter');
    await title(page, 'Approved');
    await page.waitForFunction(() => document.activeElement.id === 'title');
    assert.equal((await place.read(request.id)).approval_document.request.lifetime_seconds, 3600);
    ben.settle();
    await ben.close();
  });

  test('sees what was decided in the meantime, and signs nothing', async () => {
    const { place, request, ben, page } = await atTheDesk();
    const decided = await place.control('POST', '/approvals', { request_id: request.id, decision: 'deny' });
    assert.equal(decided.status, 201, decided.text);
    await approve(page).click();
    await page.getByText('Somebody has decided on this request in the meantime').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'trouble');
    await accessible(page, 'trouble');
    await page.getByRole('button', { name: 'Load the page again' }).click();
    await title(page, 'Denied');
    ben.settle(/409/);
    await ben.close();
  });

  test('signs nothing but what is on the page', async () => {
    const lies = {
      'another version': (challenge) => ({ ...challenge, version: 2 }),
      'another digest': (challenge) => ({ ...challenge, digest: challenge.nonce }),
      'another decision': (challenge) => ({ ...challenge, decision: 'deny' }),
      'another challenge': (challenge) => ({ ...challenge, challenge: challenge.nonce }),
      'another approver': (challenge) => ({ ...challenge, approver: 'prin_0000000000000000000000' }),
      'another request': (challenge) => ({ ...challenge, request_id: 'req_0000000000000000000000' }),
    };
    const { place, request, ben, page } = await atTheDesk();
    for (const [name, lie] of Object.entries(lies)) {
      await page.route('**/challenge', async (route) => {
        const answer = await route.fetch();
        const json = await answer.json();
        await route.fulfill({ response: answer, json: { ...json, challenge: lie(json.challenge) } });
      });
      await approve(page).click();
      await page.getByText('This is not the request that you see').waitFor();
      await page.unroute('**/challenge');
      await page.reload();
      await title(page, 'Approve this request?');
      assert.equal((await place.read(request.id)).state, 'pending_approval', name);
    }
    // And if the document on the page is another than its digest, nothing can be pressed at all.
    await page.route('**/approve/req_*', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replaceAll('43200', '86400') });
    });
    await page.reload();
    await page.getByText('This is not the request that you see').waitFor();
    assert.ok(!(await approve(page).isVisible()));
    ben.settle();
    await ben.close();
  });

  test('cannot be replayed', async () => {
    const { place, request, ben, page } = await atTheDesk();
    const sent = page.waitForRequest((one) => one.url().endsWith('/decision'));
    await approve(page).click();
    const decision = (await sent).postDataJSON();
    await title(page, 'Approved');
    const again = (to, body) =>
      page.evaluate(
        async ([to, body]) => {
          const answer = await fetch(to, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          });
          return [answer.status, (await answer.json()).type.split('/').pop()];
        },
        [to, body],
      );
    assert.deepEqual(await again(`/approve/${request.id}/decision`, decision), [409, 'request-not-pending']);
    const other = await place.request();
    assert.deepEqual(await again(`/approve/${other.id}/decision`, decision), [409, 'challenge-not-usable']);
    assert.equal((await place.read(other.id)).state, 'pending_approval');
    ben.settle(/409/);
    await ben.close();
  });
});

describe('a signature counts for what it was made for', () => {
  test('one to sign in approves nothing, and one to approve signs nobody in', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    const ben = await person(browser);
    const { page } = ben;
    await ben.enrol(issuer.origin, place.principals.approver.token);
    let signedIn = page.waitForRequest((one) => one.url().endsWith('/approve/sign-in'));
    await ben.signIn(request.approval_uri);
    const toSignIn = (await signedIn).postDataJSON();

    const { token } = place.principals.approver;
    const open = async () =>
      (await call(token, 'POST', `${place.e}/requests/${request.id}/approval-challenges`, { decision: 'approve' })).json;
    const submit = (challenge, evidence) =>
      call(token, 'POST', `${place.e}/requests/${request.id}/approvals`, {
        challenge_id: challenge.id,
        method: 'passkey',
        evidence,
      });
    const refused = await submit(await open(), toSignIn.evidence);
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.json.type, /evidence-invalid/);

    // A signature over a challenge for an approval, given for one to sign in.
    const challenge = await open();
    const evidence = await page.evaluate(async (text) => {
      const { sign } = await import('/approve/passkey.js');
      const { fromBase64url } = await import('/approve/canonical.js');
      return sign(fromBase64url(text), 'localhost', []);
    }, challenge.challenge);
    const post = (path, body) =>
      page.evaluate(
        async ([path, body]) => {
          const answer = await fetch(path, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          });
          return [answer.status, await answer.json().catch(() => null)];
        },
        [path, body],
      );
    const [, { nonce }] = await post('/approve/sign-in/challenge', {});
    assert.equal((await post('/approve/sign-in', { nonce, evidence }))[0], 401);
    // A nonce is good once, also for the right signature.
    assert.equal((await post('/approve/sign-in', toSignIn))[0], 401);
    // The signature was a good one all the same.
    const accepted = await submit(challenge, evidence);
    assert.equal(accepted.status, 201, accepted.text);
    ben.settle(/401/);
    await ben.close();
  });
});

describe('who may not decide', () => {
  test('is told so if they asked, or may only look', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    for (const [role, words] of [
      ['owner', 'You cannot decide on this request'],
      ['bystander', 'You may look at this request'],
    ]) {
      const somebody = await person(browser);
      await somebody.enrol(issuer.origin, place.principals[role].token);
      await somebody.signIn(request.approval_uri);
      await somebody.page.getByText(words).waitFor();
      assert.ok(!(await approve(somebody.page).isVisible()));
      await accessible(somebody.page, role);
      somebody.settle();
      await somebody.close();
    }
  });

  test('learns nothing if the request is somebody else’s', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    const dov = await person(browser);
    await dov.enrol(issuer.origin, place.principals.outsider.token);
    await dov.page.goto(request.approval_uri);
    await dov.page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await title(dov.page, 'There is nothing here for you');
    await accessible(dov.page, 'missing');
    const foreign = await dov.page.content();
    await dov.page.goto(request.approval_uri.replace(/.{6}$/, '000000'));
    assert.equal(await dov.page.content(), foreign);
    dov.settle(/404/);
    await dov.close();
  });

  test('cannot sign in with a passkey that nobody registered', async () => {
    const place = await sandbox(issuer);
    const request = await place.request();
    const stranger = await person(browser);
    await stranger.page.goto(request.approval_uri);
    await accessible(stranger.page, 'sign in');
    // One of a principal of this tenant, by its own account alone.
    await stranger.page.evaluate((id) =>
      navigator.credentials.create({
        publicKey: {
          challenge: new Uint8Array(32),
          rp: { id: 'localhost', name: 'x' },
          user: { id: new TextEncoder().encode(id), name: 'ben', displayName: 'ben' },
          pubKeyCredParams: [-7, -257].map((alg) => ({ type: 'public-key', alg })),
          authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        },
      }).then(() => null), place.principals.approver.id);
    await stranger.page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await stranger.page.getByText('That passkey is not known here').waitFor();
    stranger.settle(/401/);
    await stranger.close();
  });
});

describe('a session', () => {
  test('is a cookie that scripts and other sites do not get, and ends', async () => {
    const { ben, page } = await atTheDesk();
    const [cookie] = await ben.context.cookies();
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, 'Strict');
    assert.equal(cookie.path, '/approve');
    assert.ok(cookie.expires - Date.now() / 1000 <= 900);
    assert.equal(await page.evaluate(() => document.cookie), '');
    assert.ok(!page.url().includes(cookie.value));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    // The cookie is worth nothing any more, wherever a copy of it is.
    await ben.context.addCookies([cookie]);
    await page.reload();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    ben.settle(/401/);
    await ben.close();
  });

  test('that ends while somebody reads is said, and nothing is decided', async () => {
    const { place, request, ben, page } = await atTheDesk();
    await ben.context.clearCookies();
    await approve(page).click();
    await page.getByText('You are not signed in any more').waitFor();
    assert.equal((await place.read(request.id)).state, 'pending_approval');
    ben.settle(/401/);
    await ben.close();
  });

  test('is found again by whoever follows a link from another site', async () => {
    const { request, ben, page } = await atTheDesk();
    await page.route('http://elsewhere.example/', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<a href="${request.approval_uri}">decide</a>` }),
    );
    await page.goto('http://elsewhere.example/');
    await page.getByText('decide').click();
    await title(page, 'Approve this request?');
    await ben.close();
  });
});

describe('what somebody else wrote', () => {
  test('stays text, apart, without what turns it around', async () => {
    const evil = 'pay\u202Eroll\u2066 <script>alert(1)</script><img src=x onerror=alert(1)>\u0007\nApproved by security';
    const { ben, page } = await atTheDesk({
      purpose: '"><script>document.title="x"</script>',
      owner: 'team <b>ops</b>',
      justification: evil,
      subject: { kind: 'workload', id: 'job\u202E"' },
    });
    const apart = page.locator('.untrusted');
    const words = await apart.textContent();
    assert.ok(words.includes('payroll <script>alert(1)</script><img src=x onerror=alert(1)>'), words);
    assert.ok(words.includes('Approved by security'));
    assert.ok(await page.getByText('Nobody has checked these').isVisible());
    assert.ok(await page.getByText('Characters that cannot be seen were left out').first().isVisible());
    const body = await page.evaluate(() => document.body.textContent);
    assert.ok(!/[\u202A-\u202E\u2066-\u2069\u0007]/.test(body));
    assert.equal(await page.locator('main script, main img, main b').count(), 0);
    // What is shown apart is what is signed, to the letter.
    await approve(page).click();
    await title(page, 'Approved');
    ben.settle();
    await ben.close();
  });
});

describe('pictures', () => {
  const looks = [
    ['desktop-light', { viewport: { width: 1100, height: 900 }, colorScheme: 'light' }],
    ['desktop-dark', { viewport: { width: 1100, height: 900 }, colorScheme: 'dark' }],
    ['phone-light', { viewport: { width: 360, height: 740 }, colorScheme: 'light', reducedMotion: 'reduce' }],
    ['phone-dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
  ];
  for (const [name, options] of looks) {
    test(`${name}: everything fits, and can be read`, async () => {
      const { ben, page } = await atTheDesk(
        {
          justification: 'The old export job is gone since Monday.\nBilling needs this before six, please.',
          rotation_policy: { rotate_every_seconds: 3600 },
        },
        options,
      );
      const fits = async (what) => {
        const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= window, `${what}: ${wide} in ${window}`);
        await accessible(page, `${name}, ${what}`);
        await shot(page, `${name}-${what}`);
      };
      await fits('request');
      await page.getByText('Agree to less').click();
      await page.getByText('What is signed').click();
      await fits('narrowing');
      await page.getByLabel('Delete the records').uncheck();
      await approve(page).click();
      await page.getByRole('heading', { name: 'You agree to this, and no more' }).waitFor();
      await fits('review');
      await page.getByRole('button', { name: 'Approve this' }).click();
      await title(page, 'Approved');
      await fits('approved');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
      await fits('sign-in');
      ben.settle(/401/);
      await ben.close();
    });
  }
});
