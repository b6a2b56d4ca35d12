// Passkeys in the browser. A button with `data-passkey` asks this server for a challenge, the browser for an answer to
// it, and sends that with the form it stands in. Where scripts or passkeys are not to be had, the button stays hidden
// and the rest of the page works without.
"use strict";

async function use(button) {
  const form = button.form;
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, for: button.dataset.passkey });
  const asked = await fetch(button.dataset.options, { method: "POST", body });
  if (asked.ok) {
    const { options, state } = await asked.json();
    const credential = button.dataset.passkey === "add"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.answer.value = JSON.stringify(credential.toJSON());
    form.elements.state.value = state;
  }
  // Without a challenge the server says why in its answer to the form.
  form.submit();
}

for (const button of document.querySelectorAll("button[data-passkey]")) {
  button.hidden = !window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  const failed = document.getElementById("passkey-failed");
  button.addEventListener("click", async () => {
    failed.hidden = true;
    button.disabled = true;
    try {
      await use(button);
    } catch {
      failed.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}
