// Asks the browser for a passkey or a security key, and sends its answer with the
// form on the page that is there for it. Without this script the form stays hidden.
(() => {
  "use strict";
  const form = document.getElementById("key-form");
  const api = window.PublicKeyCredential;
  if (!form || !api || !api.parseRequestOptionsFromJSON || !api.parseCreationOptionsFromJSON) {
    return;
  }
  const creates = form.hasAttribute("data-create");
  const trouble = document.getElementById("key-trouble");
  // A challenge is good for ten minutes; a page may stay open for longer.
  const askAgain = 9 * 60 * 1000;
  let waiting = new AbortController();

  async function options() {
    const answer = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) {
      throw new Error("no options: " + answer.status);
    }
    return answer.json();
  }

  async function key(mediation, signal) {
    const asked = await options();
    if (creates) {
      return navigator.credentials.create({ publicKey: api.parseCreationOptionsFromJSON(asked), signal });
    }
    return navigator.credentials.get({ publicKey: api.parseRequestOptionsFromJSON(asked), mediation, signal });
  }

  function send(credential) {
    form.elements.response.value = JSON.stringify(credential.toJSON());
    form.submit();
  }

  // Offers passkeys where the name is typed, until one is chosen or the button pressed.
  async function offer() {
    waiting = new AbortController();
    const again = setTimeout(() => waiting.abort("again"), askAgain);
    try {
      send(await key("conditional", waiting.signal));
    } catch (reason) {
      if (reason === "again") {
        offer();
      }
    } finally {
      clearTimeout(again);
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    waiting.abort("pressed");
    waiting = new AbortController();
    trouble.hidden = true;
    if (form.elements.kind) {
      form.elements.kind.value = event.submitter.value;
    }
    try {
      send(await key("optional", waiting.signal));
    } catch (reason) {
      if (reason !== "pressed") {
        trouble.hidden = false;
      }
    }
  });

  form.hidden = false;
  if (form.hasAttribute("data-autofill") && api.isConditionalMediationAvailable) {
    api.isConditionalMediationAvailable().then((can) => {
      if (can) {
        offer();
      }
    });
  }
})();
