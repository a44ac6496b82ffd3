// Asks the door what it says; a door that does not answer says so too.
"use strict";

const AWAY = { look: "away", title: "Lading", time: "", says: "This door is not in service.", do: "Please call the operator.", detail: "" };
const EVERY_MS = 500;
const PATIENCE_MS = 3000;

async function ask() {
  const answer = await fetch("/state", { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(`state: ${answer.status}`);
  return answer.json();
}

function show(state) {
  for (const name of ["title", "time", "says", "do", "detail"]) {
    const place = document.getElementById(name);
    if (place.textContent !== state[name]) place.textContent = state[name];
  }
  document.body.dataset.look = state.look;
}

async function turn() {
  show(await ask().catch(() => AWAY));
  setTimeout(turn, EVERY_MS);
}

turn();
