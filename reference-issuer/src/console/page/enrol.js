import { Trouble, begin, element, make, post, run, say } from './passkey.js';

begin();
const form = element('enrol');
form.hidden = false;

async function enrol() {
  const token = element('token').value.trim();
  let begun;
  try {
    begun = await post('/approve/enrol/challenge', { token });
  } catch (fault) {
    throw fault.again ? new Trouble('Nobody here has that token.') : fault;
  }
  say('Asking your browser for a passkey.');
  const registration = await make(begun.options);
  await post('/approve/enrol', { handle: begun.handle, registration });
  form.reset();
  form.hidden = true;
  say(`There is a passkey for ${begun.name} now. Go back to the page that you came from, and sign in.`);
  element('progress').focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  run(enrol);
});
