"""A browser wallet: an EIP-1193 provider with a real key, announced by EIP-6963, as an extension would be."""

import json

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.sync_api import Page

from webapp.chain import Chain

ANNOUNCE = """
(() => {
  const provider = { request: ({ method, params }) => window.walletAnswers(method, JSON.stringify(params ?? [])).then(
    (text) => { const said = JSON.parse(text); if (said.error) throw said.error; return said.result; }) };
  const detail = Object.freeze({ info: { uuid: "1", name: "Test Wallet", icon: "data:,", rdns: "test" }, provider });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


class Wallet:
    """An EIP-1193 provider with a real key, as a browser extension would be."""

    def __init__(self, chain: Chain) -> None:
        self.key, self.chain = Account.create(), chain
        self.declines = False
        self.asked: list[str] = []

    def enter(self, page: Page) -> None:
        """Be found by a page's scripts."""
        page.expose_function("walletAnswers", self.answer)
        page.add_init_script(ANNOUNCE)

    def answer(self, method: str, params_text: str) -> str:
        """Answer one request of a page."""
        self.asked.append(method)
        params = json.loads(params_text)
        if self.declines and method == "eth_sendTransaction":
            return json.dumps({"error": {"code": 4001, "message": "User rejected"}})
        return json.dumps({"result": self._result(method, params)})

    def _result(self, method: str, params: list) -> object:
        if method in ("eth_requestAccounts", "eth_accounts"):
            return [self.key.address.lower()]
        if method == "eth_chainId":
            return hex(self.chain.chain_id)
        if method == "personal_sign":
            signed = self.key.sign_message(encode_defunct(hexstr=params[0]))
            return "0x" + bytes(signed.signature).hex()
        if method == "eth_signTypedData_v4":
            signed = self.key.sign_message(encode_typed_data(full_message=json.loads(params[1])))
            return "0x" + bytes(signed.signature).hex()
        assert method == "eth_sendTransaction", method
        asked = {name: value for name, value in params[0].items() if name != "from"}
        nonce = self.chain.nonce(self.key.address, "pending")
        signed = self.key.sign_transaction({**asked, "nonce": nonce, "chainId": self.chain.chain_id, "type": 2})
        return self.chain.node.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
