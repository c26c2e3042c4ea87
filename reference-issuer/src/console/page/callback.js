// What a provider sends back stands in the address. It is taken out of it at once, and sent on from
// here, since a browser that comes from another site brings no cookie along.
import { Trouble, begin, element, post, run, say } from './passkey.js';

begin();
const back = new URLSearchParams(location.search);
history.replaceState(null, '', location.pathname);
// Where this person came from, to be able to return there.
const request = sessionStorage.getItem('request');

async function submit() {
  if (back.has('error')) throw new Trouble('The provider did not confirm it. Nothing was decided.');
  const [state, code] = [back.get('state'), back.get('code')];
  if (!state || !code) throw new Trouble('The provider sent nothing along. Nothing was decided.');
  say('Taking over what the provider said.');
  const iss = back.get('iss');
  const decided = await post('/approve/callback', { state, code, ...(iss ? { iss } : {}) });
  location.replace(`/approve/${decided.request_id}#decided`);
}

await run(submit);
if (element('trouble').childElementCount > 0 && request) {
  element('request').href = `/approve/${encodeURIComponent(request)}`;
  element('home').hidden = false;
}
