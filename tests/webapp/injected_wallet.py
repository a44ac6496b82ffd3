"""A browser wallet: an EIP-1193 provider with a real key, announced by EIP-6963, as an extension would be.

What it asks the chain goes to the address that the page told it, and what it sends leaves from the page itself.
"""

import json
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.sync_api import Page

from webapp.chain import Chain
from webapp.node import Node

ANNOUNCE = """
(() => {
  const send = async (url, raw) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_sendRawTransaction", params: [raw] });
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const said = await answer.json();
    if (said.error) throw said.error;
    return said.result;
  };
  const request = async ({ method, params }) => {
    const said = JSON.parse(await window.walletAnswers(method, JSON.stringify(params ?? [])));
    if (said.error) throw said.error;
    return said.raw ? send(said.url, said.raw) : said.result;
  };
  const info = { uuid: "1", name: "Test Wallet", icon: "data:,", rdns: "test" };
  const detail = Object.freeze({ info, provider: { request } });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""
DECLINED = {"code": 4001, "message": "User rejected"}
UNKNOWN_CHAIN = {"code": 4902, "message": "Unrecognized chain"}


class Wallet:
    """Knows no chain but Ethereum's own until a page offers one."""

    def __init__(self, chain: Chain) -> None:
        self.key, self.chain_id, self.gas = Account.create(), chain.chain_id, 0
        self.on, self.url, self.node = 1, "", Node(())
        self.declines: set[int] = set()
        self.asked: list[str] = []

    def enter(self, page: Page) -> None:
        """Be found by a page's scripts."""
        page.expose_function("walletAnswers", self.answer)
        page.add_init_script(ANNOUNCE)

    def answer(self, method: str, params_text: str) -> str:
        """Answer one request of a page; the n-th transaction is declined where `declines` has n."""
        self.asked.append(method)
        params = json.loads(params_text)
        if method == "wallet_switchEthereumChain" and not self.url:
            return json.dumps({"error": UNKNOWN_CHAIN})
        if method == "eth_sendTransaction":
            declined = self.asked.count(method) in self.declines
            return json.dumps({"error": DECLINED} if declined else {"url": self.url, "raw": self._signed(params[0])})
        return json.dumps({"result": self._result(method, params)})

    def _result(self, method: str, params: list[Any]) -> object:
        if method in ("eth_requestAccounts", "eth_accounts"):
            return [self.key.address.lower()]
        if method == "eth_chainId":
            return hex(self.on)
        if method == "wallet_addEthereumChain":
            return self._know(params[0])
        if method == "personal_sign":
            signed = self.key.sign_message(encode_defunct(hexstr=params[0]))
            return "0x" + bytes(signed.signature).hex()
        assert method == "eth_signTypedData_v4", method
        signed = self.key.sign_message(encode_typed_data(full_message=json.loads(params[1])))
        return "0x" + bytes(signed.signature).hex()

    def _know(self, offered: dict[str, Any]) -> None:
        """Take the page's chain, if its node says that it is the one."""
        [self.url], self.node = offered["rpcUrls"], Node(offered["rpcUrls"])
        assert self.node.call("eth_chainId") == offered["chainId"]
        self.on = int(offered["chainId"], 16)

    def _signed(self, asked: dict[str, Any]) -> str:
        nonce = int(self.node.call("eth_getTransactionCount", self.key.address, "pending"), 16)
        fields = {name: value for name, value in asked.items() if name != "from"}
        signed = self.key.sign_transaction({**fields, "nonce": nonce, "chainId": self.on, "type": 2})
        return "0x" + bytes(signed.raw_transaction).hex()
