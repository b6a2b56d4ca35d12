// The console's script: buttons that copy what stands beside them. Without it there are no such buttons, and nothing
// else is missing.
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
