// What is signed, computed here and never taken from an answer (specification chapter 12, "What
// is signed").

/** The canonical form of RFC 8785. A null has none, nor has an integer beyond 2^53. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value) || Math.abs(value) > 2 ** 53) throw new Error('a number without a canonical form');
      return JSON.stringify(value);
    case 'object':
      if (value === null) break;
      // The default order is by UTF-16 code units, as RFC 8785 section 3.2.3 has it.
      return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
  }
  throw new Error('a value without a canonical form');
}

async function sha256(value) {
  const bytes = new TextEncoder().encode(canonical(value));
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export function toBase64url(bytes) {
  const text = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

export function fromBase64url(text) {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

/** The digest of an approval document, base64url. */
export async function digest(document) {
  return toBase64url(await sha256(document));
}

/** The 32 bytes that are signed for a decision. */
export function challenge({ approver, decision, digest, nonce }) {
  return sha256({ approver, context: 'clp-approval-v1', decision, digest, nonce });
}

/** The 32 bytes that are signed to sign in. */
export function signInChallenge({ issuer, nonce }) {
  return sha256({ context: 'clp-sign-in-v1', issuer, nonce });
}

/** The document that is signed by who agrees to less: the next version, with these values in the request. */
export function narrowed(document, { renewable_until: until, ...agreed }) {
  const request = { ...document.request, ...agreed };
  if (until !== undefined) request.rotation_policy = { ...request.rotation_policy, renewable_until: until };
  return { ...document, version: document.version + 1, request };
}
