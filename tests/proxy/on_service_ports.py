"""Runs inside a network namespace: a gateway on 443 and 80 in front of a web application; prints what clients got."""

import http.client
import json
import ssl

from tests.proxy.authority import Authority
from tests.proxy.conftest import run_folder
from tests.proxy.node import Node
from tests.proxy.running import Running, rpc


def main() -> None:
    """One page over TLS, then plain HTTP."""
    web = Node()
    with run_folder() as home:
        company = Authority(home / "company", "A company's root").intermediate("A company's servers")
        server = company.issue("lading.example", hosts=("127.0.0.1",))
        gateway = Running(
            home, Authority(home / "ca"), ["http://127.0.0.1:9"], web_upstream=web.url, web_port=443, plain_port=80,
            devices_port=8443, wallets_port=8453, certificate=str(server.certificate), key=str(server.key),
            worker_user="root",
        )  # fmt: skip
        gateway.up()
        context = ssl.create_default_context(cafile=str(company.root))
        _say_page(http.client.HTTPSConnection("127.0.0.1", 443, context=context))
        _say_plain("GET", None)
        _say_plain("POST", b"passphrase=secret")
        print("seen", len(web.seen))
        gateway.down()
    web.close()


def _say_page(line: http.client.HTTPSConnection) -> None:
    line.request("POST", "/sales", json.dumps(rpc("eth_chainId")))
    page = line.getresponse()
    page.read()
    line.close()
    print("web", page.status, page.headers["Strict-Transport-Security"])


def _say_plain(verb: str, body: bytes | None) -> None:
    line = http.client.HTTPConnection("127.0.0.1", 80)
    line.request(verb, "/sales", body, {"Host": "lading.example"})
    answer = line.getresponse()
    answer.read()
    line.close()
    print("plain", verb, answer.status, *filter(None, [answer.headers["Location"]]))


if __name__ == "__main__":
    main()
