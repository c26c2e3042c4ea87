// A person with a browser: follows redirects, keeps cookies, and submits the forms that they meet.

export async function visit({ url, login, acr }, { redirect_uri }) {
  const cookies = new Map();
  const open = async (address, form) => {
    const answer = await fetch(address, {
      redirect: 'manual',
      method: form ? 'POST' : 'GET',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: form && new URLSearchParams(form),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=');
      cookies.set(name, value);
    }
    return answer;
  };
  let address = url;
  let answer = await open(address);
  for (let steps = 0; steps < 20; steps += 1) {
    const next = answer.headers.get('location');
    if (next) {
      address = new URL(next, address).href;
      if (address.startsWith(redirect_uri)) return address;
      answer = await open(address);
    } else if (answer.status === 200 && address.includes('/interaction/')) {
      answer = await open(address, { login, ...(acr && { acr }) });
    } else {
      throw new Error(`${answer.status} of ${address}: ${await answer.text()}`);
    }
  }
  throw new Error('there is no end to the redirects');
}
