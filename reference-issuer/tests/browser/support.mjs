// An issuer, a browser with an authenticator, and people who act. Nothing of it is about one test.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const here = fileURLToPath(new URL('.', import.meta.url));
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Starts an issuer on free ports, with test control. */
export async function startIssuer(...more) {
  const binary = process.env.CLP_ISSUER_BIN ?? join(here, '../../../target/debug/clp-issuer');
  const home = mkdtempSync(join(tmpdir(), 'clp-page-'));
  const tokenFile = join(home, 'control');
  const child = spawn(binary, ['--port', '0', '--control-token-file', tokenFile, ...more], {
    stdio: ['ignore', 'pipe', process.env.CLP_LOG ? 'inherit' : 'ignore'],
  });
  const [line] = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve([line]));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the issuer ended with ${code}`)));
  });
  const { personas, control_url: control } = JSON.parse(line);
  return {
    origin: personas[0].url,
    control,
    controlToken: readFileSync(tokenFile, 'utf8').trim(),
    stop: () => {
      child.removeAllListeners('exit');
      child.kill();
      rmSync(home, { recursive: true });
    },
  };
}

/** Calls something and answers status and JSON. */
export async function call(token, method, url, body, headers = {}) {
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {}
  return { status: answer.status, headers: answer.headers, text, json };
}

/** A fresh tenant. Its owner asks, its approver decides, its bystander looks; the outsider is of another. */
export async function sandbox(issuer) {
  const made = await call(issuer.controlToken, 'POST', `${issuer.control}/sandboxes`, {});
  assert.equal(made.status, 201, made.text);
  const { principals, tenant_id: tenant, credential_issuer_endpoint: e } = made.json;
  const asked = (changes) => ({
    type: 'api_key',
    permissions: [{ resource_type: 'record', selector: 'atlas/*', actions: ['write', 'delete'] }],
    purpose: 'send invoices',
    owner: 'billing',
    project: 'atlas',
    environment: 'production',
    subject: { kind: 'workload', id: 'invoicer' },
    lifetime_seconds: 43200,
    ...changes,
  });
  return {
    principals,
    tenant,
    e,
    /** Opens a request. */
    async request(changes = {}, token = principals.owner.token) {
      const opened = await call(token, 'POST', `${e}/requests`, asked(changes));
      assert.ok(opened.status === 201 || opened.status === 202, opened.text);
      return opened.json;
    },
    read: async (id) => (await call(principals.owner.token, 'GET', `${e}/requests/${id}`)).json,
    create: (id) => call(principals.owner.token, 'POST', e, { request_id: id }),
    control: (method, path, body) => call(issuer.controlToken, method, `${issuer.control}/sandboxes/${tenant}${path}`, body),
  };
}

/** A browser. */
export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

/**
 * A person with a window of their own, and an authenticator in it. Whatever the page complains of is in
 * `complaints`; a test ends with none.
 */
export async function person(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (fault) => complaints.push(String(fault)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`);
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  const elsewhere = [];
  page.on('request', (request) => {
    if (new URL(request.url()).hostname !== 'localhost') elsewhere.push(request.url());
  });
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    context,
    page,
    complaints,
    devtools,
    authenticatorId,
    /** Makes a passkey with a bearer token. */
    async enrol(origin, token) {
      await page.goto(`${origin}/approve/enrol`);
      await page.getByLabel('Your bearer token').fill(token);
      await page.getByRole('button', { name: 'Make a passkey' }).click();
      await page.getByText('There is a passkey for').waitFor();
    },
    /** Opens a page and signs in where it asks for that. */
    async signIn(url) {
      await page.goto(url);
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
      await page.getByText('Signed in as').waitFor();
    },
    /** Loads nothing from elsewhere, and complains of nothing but what is expected. */
    settle(...expected) {
      const left = complaints.filter((one) => !expected.some((pattern) => pattern.test(one)));
      assert.deepEqual(left, []);
      assert.deepEqual(elsewhere, []);
    },
    close: () => context.close(),
  };
}

/** Holds the page as it is now to the rules of axe: nothing serious, nothing critical. */
export async function accessible(page, what) {
  // Evaluated by the debugger, which no policy of the page holds back.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const bad = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  assert.deepEqual(
    bad.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    [],
    what,
  );
  return violations.map(({ id }) => id);
}

/** Keeps a picture where `CLP_SHOTS` names a directory. */
export async function shot(page, name) {
  const directory = process.env.CLP_SHOTS;
  if (directory) await page.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
}
