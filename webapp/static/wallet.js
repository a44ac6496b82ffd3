// Browser wallets: found by EIP-6963, signed in by EIP-4361, asked to send and to sign. No key ever leaves them.
"use strict";

const wallets = new Map();
const body = () => document.body.dataset;
const csrf = () => document.querySelector("input[name=csrf_token]").value;

const post = async (url, data) => {
  const isForm = data instanceof FormData;
  const answer = await fetch(url, {
    method: "POST", credentials: "same-origin", body: isForm ? data : JSON.stringify(data),
    headers: { "X-CSRFToken": csrf(), Accept: "application/json", ...(isForm ? {} : { "Content-Type": "application/json" }) },
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const fields = said.fields ? " " + Object.values(said.fields).join(" ") : "";
    throw new Error((said.error?.message ?? said.error ?? "The server did not answer. Nothing was sent.") + fields);
  }
  return said;
};

const words = (error) => error?.code === 4001 ? "You declined in the wallet. Nothing was sent." : (error?.message ?? String(error));

const onOurChain = async (provider) => {
  const chainId = "0x" + Number(body().chainId).toString(16);
  if (await provider.request({ method: "eth_chainId" }) === chainId) return;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    if (error.code === 4001) throw error;
    if (!body().walletRpc) throw new Error("This site does not know where wallets reach its chain. Ask the operator.");
    await provider.request({
      method: "wallet_addEthereumChain",
      params: [{ chainId, chainName: `Lading ${Number(chainId)}`, rpcUrls: [body().walletRpc], nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 } }],
    });
  }
};

// Wallets give addresses without checksum; the server gives it back with one.
const signIn = async (provider, next) => {
  const [plain] = await provider.request({ method: "eth_requestAccounts" });
  await onOurChain(provider);
  const { message, address } = await post("/wallet/challenge", { address: plain });
  const signature = await provider.request({ method: "personal_sign", params: ["0x" + [...new TextEncoder().encode(message)].map((b) => b.toString(16).padStart(2, "0")).join(""), plain] });
  const said = await post("/wallet/sign-in", { address, signature, next });
  location.assign(said.next);
};

const account = async (provider, address) => {
  const [chosen] = await provider.request({ method: "eth_requestAccounts" });
  if (address && chosen.toLowerCase() !== address.toLowerCase()) throw new Error(`Choose the account ${address} in your wallet: it is the one you signed in with.`);
  return chosen;
};

// Of several wallets it is the one that signed in.
const mine = () => wallets.get(localStorage.getItem("lading-wallet")) ?? [...wallets.values()][0];

const act = async (form) => {
  const provider = mine();
  if (!provider) throw new Error("Your wallet was not found in this browser. Unlock it and reload the page. Nothing was sent.");
  await account(provider, document.querySelector(".me")?.dataset.address);
  await onOurChain(provider);
  const plan = await post(form.dataset.prepare, new FormData(form));
  let next = plan.voucher?.then;
  if (plan.voucher) {
    // First the barcode: a payment whose barcode was never signed would only confuse; it can be made again at any time.
    const { data, keep, attempt, expires_at } = plan.voucher;
    const from = document.querySelector(".me").dataset.address;
    const signature = await provider.request({ method: "eth_signTypedData_v4", params: [from, JSON.stringify(data)] });
    await post(keep, { signature, attempt, expires_at });
  }
  const steps = plan.transactions ?? (plan.transaction ? [plan] : []);
  const form_key = form.querySelector("input[name=form_key]").value;
  for (const [sent, { transaction, report }] of steps.entries()) {
    const hash = await provider.request({ method: "eth_sendTransaction", params: [transaction] }).catch((error) => {
      throw sent ? new Error(`${sent} of ${steps.length} transactions were sent and go on; the rest was not. Send again for the rest.`) : error;
    });
    next = (await post(report, { hash, form_key })).next;
  }
  location.assign(next ?? plan.then);
};

const say = (form, text) => {
  let note = form.querySelector("[data-problem]");
  if (!note) {
    note = document.createElement("p");
    note.className = "note error"; note.dataset.problem = ""; note.setAttribute("role", "alert");
    form.prepend(note);
  }
  note.textContent = text; note.hidden = false;
};

const offer = (info, provider) => {
  const place = document.querySelector("[data-wallets]");
  if (!place) return;
  place.querySelector("[data-none]").hidden = true;
  const button = document.createElement("button");
  button.type = "button"; button.className = "second full"; button.textContent = `Sign in with ${info.name}`;
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    localStorage.setItem("lading-wallet", info.rdns);
    try { await signIn(provider, place.dataset.next); } catch (error) { say(place, words(error)); } finally { button.removeAttribute("aria-busy"); }
  });
  place.querySelector("[data-list]").append(button);
};

window.addEventListener("eip6963:announceProvider", (event) => {
  const { info, provider } = event.detail;
  if (wallets.has(info.rdns)) return;
  wallets.set(info.rdns, provider);
  offer(info, provider);
});

document.addEventListener("DOMContentLoaded", () => window.dispatchEvent(new Event("eip6963:requestProvider")));
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.wallet) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  const button = form.querySelector("button:not([type=button])");
  button.setAttribute("aria-busy", "true");
  try { await act(form); } catch (error) {
    say(form, words(error));
    delete form.dataset.sent;
    button.removeAttribute("aria-busy");
  }
});
