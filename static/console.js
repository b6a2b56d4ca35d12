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

// The code in an address is used up once the page is there, and does not have to be read over a shoulder.
if (document.querySelector("[data-forgets-query]")) history.replaceState(null, "", location.pathname);

// On a phone the places of a plugin are one line that scrolls; the one that is shown is to be seen.
const here = document.querySelector(".sections [aria-current]");
function showHere() {
  const line = here.closest(".sections");
  const [at, whole] = [here.getBoundingClientRect(), line.getBoundingClientRect()];
  line.scrollLeft += at.left - whole.left - (whole.width - at.width) / 2;
}
if (here) {
  showHere();
  addEventListener("resize", showHere);
}
