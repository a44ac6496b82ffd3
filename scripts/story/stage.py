"""Sets the stage: the network, the contracts, the cloud, the gateway, each started by its own command."""

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from contracts.calls import Call, send
from contracts.chain import connect
from contracts.deployment import Deployment, deploy, load_deployments
from contracts.events import Event, decode_log
from contracts.registry import DeviceRegistry
from geth_network.folder import Folder
from geth_network.fund import fund_all
from scripts.story.ports import Ports
from scripts.story.processes import RunFolder

CHAIN_ID = 20260  # the demo's alone: a network in service draws its own


@dataclass
class Stage:
    """What the story plays on: the run folder, the ports, and what each part said when it was ready."""

    folder: RunFolder
    ports: Ports
    ready: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def rpc(self) -> list[str]:
        """The RPC nodes' addresses."""
        return [str(url) for url in self.ready["chain"]["rpc"]]

    @property
    def deployment(self) -> Deployment:
        """The contracts of this run folder."""
        return load_deployments(self.path / "contracts" / "deployments.json")[-1]

    def node(self, index: int = 0) -> Web3:
        """Return a connection to one RPC node."""
        return connect(self.rpc[index])

    def configure(self, table: str, **values: Any) -> None:
        """Add settings of one process and write lading.toml anew."""
        with self.writing:
            self.settings.setdefault(table, {}).update(values)
            tables = (f"[{name}]\n{_lines(keys)}" for name, keys in self.settings.items())
            draft = self.path / ".lading.toml"
            draft.write_text("\n".join(tables))
            draft.replace(self.path / "lading.toml")  # a command that starts meanwhile reads all of it

    def start_chain(self) -> None:
        """Make the network and start it; every node advances when this returns."""
        first = self.ports.rpc[0]
        self.folder.run(
            "lading-chain", "new", "--chain-id", str(CHAIN_ID), "--rpc-port", str(first), "--peer-port", "0"
        )  # fmt: skip
        self.ready["chain"] = self.folder.start("chain", "lading-chain", "up")

    def fund(self, ether: Mapping[str, int]) -> None:
        """Pay accounts, all at once, from the treasury that the genesis filled."""
        fund_all(Folder(self.path / "chain"), {address: ether * 10**18 for address, ether in ether.items()})

    def account(self, who: str) -> LocalAccount:
        """Return the signing account of one of the people who keep a keystore."""
        keystore, password = key_files(self.path, who)
        account: LocalAccount = Account.from_key(
            Account.decrypt(json.loads(keystore.read_text()), password.read_text())
        )
        return account

    def deploy(self) -> Deployment:
        """Deploy the contracts as the admin."""
        return deploy(self.node(), self.account("admin"), self.path / "contracts" / "deployments.json")

    def registry(self) -> DeviceRegistry:
        """Return the registry of operators, sites and devices."""
        return DeviceRegistry.at(self.node(), self.deployment.registry)

    def send(self, who: str, call: Call) -> list[Event]:
        """Sign and send a call as one of the people; return the events that it caused."""
        receipt = send(self.node(), self.account(who), call)
        return [event for log in receipt["logs"] if (event := decode_log(log)) is not None]

    def start_cloud(self) -> None:
        """Start certificate authority, broker and shadow service."""
        self.configure("cloud", mqtt_port=self.ports.mqtt, http_port=self.ports.cloud_http)
        self.ready["cloud"] = self.folder.start("cloud", "lading-cloud", "up")

    def start_gateway(self) -> None:
        """Give the gateway its certificate and the list of our contracts' functions, and start it."""
        self.folder.run("lading-gateway", "certificate", "--host", "localhost")
        selectors = self.folder.run("python", "-m", "contracts", "selectors", "--json")
        (self.path / "gateway" / "selectors.json").write_text(selectors)
        self.configure(
            "gateway", upstreams=self.rpc, devices_port=self.ports.devices, wallets_port=self.ports.wallets
        )  # fmt: skip
        self.ready["gateway"] = self.folder.start("gateway", "lading-gateway", "up")

    def start_web(self, thing: str) -> None:
        """Start the web application, with the inbox of the Pi that will be on this machine."""
        inbox = self.path / "pi" / thing / "inbox"
        deep = len(self.ready["chain"]["sealers"])  # reorganisations are shorter than that
        self.configure("web", port=self.ports.web, pi_inboxes={thing: str(inbox)}, confirmations=deep)
        self.ready["web"] = self.folder.start("web", "lading-web", "up")
        self.configure("gateway", wallet_origins=[self.ready["web"]["url"]])
        self.folder.run("lading-gateway", "reload")

    def start_pi(self, thing: str) -> None:
        """Start the Pi, once it is enrolled."""
        self.ready["pi"] = self.folder.start("pi", "lading-pi", "run", ready=f"pi/{thing}")

    def kill(self, part: str) -> None:
        """Kill a part without warning, as a power cut would: its children go with it."""
        self.folder.kill(part)

    def restart(self, part: str) -> None:
        """Start a killed part again, on the addresses that it had."""
        starts = {"cloud": self._cloud_again, "gateway": self._gateway_again, "pi": self._pi_again}
        starts[part]()

    def _cloud_again(self) -> None:
        port = urlsplit(self.ready["cloud"]["http"]).port
        self.configure("cloud", mqtt_port=self.ready["cloud"]["mqtt_port"], http_port=port)
        self.ready["cloud"] = self.folder.start("cloud", "lading-cloud", "up")

    def _gateway_again(self) -> None:
        ports = {f"{name}_port": urlsplit(self.ready["gateway"][name]).port for name in ("devices", "wallets")}
        self.configure("gateway", **ports)
        self.ready["gateway"] = self.folder.start("gateway", "lading-gateway", "up")

    def _pi_again(self) -> None:
        self.start_pi(self.ready["pi"]["thing"])

    def kill_node(self, url: str) -> None:
        """Kill the RPC node that answers at a URL; the chain's own watchdog may bring it back."""
        port = urlsplit(url).port
        nodes = self.folder.children("chain")
        found = [node for node in nodes if port in {c.laddr.port for c in node.net_connections("tcp") if c.laddr}]
        for node in found:
            node.kill()


def key_files(home: Path, who: str) -> tuple[Path, Path]:
    """Return where a person of the story keeps keystore and password."""
    folder = home / "demo" / "keys"
    return folder / f"{who}.json", folder / f"{who}.password"


def make_key(home: Path, who: str) -> str:
    """Make a person's key, keep it encrypted, and return the address."""
    keystore, password = key_files(home, who)
    keystore.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    account, secret = Account.create(), secrets.token_urlsafe(16)
    for file, text in ((keystore, json.dumps(account.encrypt(secret, iterations=4096))), (password, secret)):
        file.touch(mode=0o600)
        file.write_text(text)
    return str(account.address)


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)  # strings, numbers, booleans and lists read alike in JSON and TOML
