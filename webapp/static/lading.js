// What the pages do beyond plain HTML: local times, copying, one send a form, the picture drop, printing.
"use strict";

const formatTimes = (root) => {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    element.title = moment.toUTCString();
    const timeStyle = element.closest("[data-exact]") ? "medium" : "short"; // a log's steps lie seconds apart
    element.textContent = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle });
  }
};

const copy = async (button) => {
  let outcome = "copied";
  try { await navigator.clipboard.writeText(button.dataset.copy); } catch { outcome = "failed"; }
  button.classList.add(outcome);
  setTimeout(() => button.classList.remove(outcome), 1500);
};

// A second click finds the form already on its way; the server counts it once in any case.
const sendOnce = (event) => {
  const form = event.target;
  if (form.id === "sign-out") dropDrafts();
  if (!form.matches("form.once") || form.dataset.wallet) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  const button = form.querySelector("button:not([type=button])");
  if (button) { button.setAttribute("aria-busy", "true"); }
};

const wakeForms = () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
};

// What was typed outlives a session that ends meanwhile: kept in this tab until the form went through.
const draftOf = (form) => `lading-draft:${form.getAttribute("action")}`;
const kept = (form) => [...form.elements].filter((field) => field.name && !["hidden", "password", "file"].includes(field.type));

const keepDraft = (form) => {
  const typed = kept(form).map((field) => [field.name, field.value]);
  sessionStorage.setItem(draftOf(form), JSON.stringify(Object.fromEntries(typed)));
};

const restoreDraft = (form) => {
  const typed = JSON.parse(sessionStorage.getItem(draftOf(form)) ?? "{}");
  const untouched = !form.querySelector("[aria-invalid]");
  for (const field of kept(form)) {
    if (untouched && field.name in typed && (field.tagName === "SELECT" || !field.value)) field.value = typed[field.name];
  }
  form.addEventListener("input", () => keepDraft(form));
};

const dropDrafts = () => {
  for (const key of Object.keys(sessionStorage)) { if (key.startsWith("lading-draft:")) sessionStorage.removeItem(key); }
};

const watchDrop = (form) => {
  const input = form.querySelector("input[type=file]");
  const chosen = form.querySelector("[data-chosen]");
  const zone = form.querySelector(".dropzone");
  const tell = () => { chosen.textContent = input.files.length ? `Chosen: ${input.files[0].name}` : ""; };
  input.addEventListener("change", tell);
  for (const kind of ["dragover", "dragleave", "drop"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files.length) { input.files = event.dataTransfer.files; tell(); }
    });
  }
};

document.addEventListener("DOMContentLoaded", () => {
  formatTimes(document);
  document.querySelectorAll("form[data-drop]").forEach(watchDrop);
  if (document.querySelector("ol.progress[data-state]")) dropDrafts();
  document.querySelectorAll("form[data-keep]").forEach(restoreDraft);
});
document.addEventListener("htmx:load", (event) => formatTimes(event.target));
document.addEventListener("submit", sendOnce);
window.addEventListener("pageshow", wakeForms);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (!button) return;
  if (button.dataset.copy) { event.preventDefault(); copy(button); } else { window.print(); }
});
