// What the page computes, held to the vectors that everybody else is held to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { canonical, challenge, digest, narrowed, toBase64url } from '../../src/console/page/canonical.js';

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../../test-vectors/${name}.json`, import.meta.url), 'utf8'));

test('digests of approval documents', async () => {
  const all = vectors('approval/digest').vectors;
  assert.ok(all.length > 10);
  for (const { id, input, expect } of all) {
    assert.equal(canonical(input.approval_document), expect.canonical, id);
    assert.equal(await digest(input.approval_document), expect.digest, id);
  }
});

test('no digest of a null, or of an integer that is not exact', () => {
  for (const value of [null, 2 ** 53 + 2, Infinity, undefined]) assert.throws(() => canonical({ a: [value] }), String(value));
});

test('challenges', async () => {
  const all = vectors('approval/challenge').vectors;
  assert.ok(all.length > 5);
  for (const { id, input, expect } of all) {
    assert.equal(toBase64url(await challenge(input)), expect.challenge, id);
  }
});

test('documents that agree to less', async () => {
  const all = vectors('approval/narrow').vectors;
  assert.ok(all.length > 5);
  for (const { id, input, expect } of all) {
    const { approval_document: document, ...less } = input;
    assert.equal(canonical(narrowed(document, less)), expect.canonical, id);
    assert.equal(await digest(narrowed(document, less)), expect.digest, id);
  }
});
