// The console's script: buttons that copy what stands beside them, and previews that follow what is typed. Without it
// there are no such buttons, and a preview comes when it is asked for.
const status = document.getElementById("copied");
for (const button of document.querySelectorAll("button[data-copies]")) {
  const source = document.getElementById(button.dataset.copies);
  const label = button.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.textContent = status.textContent = "Copied";
    } catch {
      button.textContent = status.textContent = "Select it and copy";
      getSelection().selectAllChildren(source);
    }
    setTimeout(() => { button.textContent = label; status.textContent = ""; }, 2500);
  });
}

// The server makes each preview from what the form says; the button that asks for a whole page is not needed then. Where
// none could be made it is back, and it is said.
for (const form of document.querySelectorAll("form[data-previews]")) {
  const shown = document.getElementById(form.dataset.previews);
  const said = document.getElementById(`${form.dataset.previews}-status`);
  let waiting, asking;
  const button = form.querySelector("button[name=preview]");
  button.hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      asking?.abort();
      asking = new AbortController();
      const body = new URLSearchParams(new FormData(form));
      body.set("preview", "fragment");
      try {
        const answer = await fetch(form.action, { method: "POST", body, signal: asking.signal, redirect: "error" });
        if (!answer.ok) throw new Error(answer.status);
        const wasOpen = shown.querySelector("details")?.open;
        shown.innerHTML = await answer.text();
        if (wasOpen) shown.querySelector("details").open = true;
        button.hidden = true;
        said.textContent = "The preview shows what you typed.";
      } catch (error) {
        // What was typed since is asked for already.
        if (error.name === "AbortError") return;
        button.hidden = false;
        said.textContent = "The preview could not be made. Press Preview.";
      }
    }, 500);
  });
}
