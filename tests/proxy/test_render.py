"""`render` alone: a company's own nginx includes the gateway."""

import subprocess
from pathlib import Path

import pytest

from proxy.listeners import bind
from tests.proxy.authority import Authority
from tests.proxy.node import Node
from tests.proxy.running import Running, ask, await_until, rpc

OWN = """
load_module /usr/lib/nginx/modules/ngx_http_js_module.so;
daemon off; pid "{home}/own.pid"; error_log "{home}/own.log";
{user}
events {{}}
http {{
    client_body_temp_path "{home}/t1"; proxy_temp_path "{home}/t2"; fastcgi_temp_path "{home}/t3";
    uwsgi_temp_path "{home}/t4"; scgi_temp_path "{home}/t5"; access_log off;
    include "{home}/included/gateway.conf";
}}
"""


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, outside the range that is given out by itself."""
    bound = bind({str(number): ("127.0.0.1", 0) for number in range(count)})
    ports = [listener.getsockname()[1] for listener in bound.values()]
    for listener in bound.values():
        listener.close()
    return ports


@pytest.fixture
def rendered(home: Path, authority: Authority, shared_node: Node) -> Running:
    """An include file for a company's nginx, whose gateway was never started."""
    gateway = Running(home, authority, [shared_node.url])
    devices, wallets = free_ports(2)
    gateway.configure(devices_port=devices, wallets_port=wallets)
    done = gateway.command("render", str(home / "included"))
    assert done.stdout == f'include "{home}/included/gateway.conf";\n', done.stderr
    gateway.ready = {"devices": f"https://127.0.0.1:{devices}", "wallets": f"http://127.0.0.1:{wallets}"}
    return gateway


def test_include_file_serves_in_another_nginx(rendered: Running, home: Path) -> None:
    """Both blocks: the filter and mutual TLS."""
    (home / "own.conf").write_text(OWN.format(home=home, user="user nobody nogroup;"))
    command = ["setpriv", "--pdeathsig", "TERM", "--", "/usr/sbin/nginx", "-e", f"{home}/own.log", "-p", str(home)]
    with subprocess.Popen([*command, "-c", str(home / "own.conf")], stderr=subprocess.DEVNULL) as own:
        try:
            await_until(lambda: _answers(rendered), "the company's nginx")
            assert ask(rendered.wallets(), rpc("eth_chainId")).status == 200
            assert ask(rendered.wallets(), rpc("admin_peers")).reason == "method"
            assert ask(rendered.devices(), rpc("eth_chainId")).reason == "credentials"
        finally:
            rendered.hang_up()
            own.terminate()


def test_render_writes_nothing_that_nginx_would_refuse(home: Path, authority: Authority) -> None:
    """A company's nginx is never given a broken include."""
    gateway = Running(home, authority, ["http://no-such-host.invalid:1"])
    gateway.configure()
    done = gateway.command("render", str(home / "included"))
    assert done.returncode == 1
    assert "host not found" in done.stderr
    assert not (home / "included").exists()


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7"])
def test_beyond_loopback_no_block_that_forwards_speaks_plain_http(
    home: Path, authority: Authority, shared_node: Node, host: str
) -> None:
    """Every server of the configuration: TLS, or loopback, or nothing but a redirect and 403."""
    gateway = Running(home, authority, [shared_node.url], web_upstream=shared_node.url, plain_port=80)
    gateway.configure(host=host, wallets_host=host, devices_port=1443, wallets_port=1453)
    done = gateway.command("render", str(home / "included"))
    assert done.returncode == 0, done.stderr
    servers = (home / "included" / "gateway.conf").read_text().split("\nserver {")[1:]
    plain = [server for server in servers if " ssl;" not in server.split("listen", 1)[1].split("\n")[0]]
    assert len(servers) == 4
    assert len(plain) == 1
    assert "return 301" in plain[0]
    assert "proxy_pass" not in plain[0]
    assert "js_content" not in plain[0]
    assert ["Strict-Transport-Security" in server for server in servers] == [False, True, True, False]


def _answers(gateway: Running) -> bool:
    try:
        return ask(gateway.wallets(), rpc("eth_chainId")).status == 200
    except OSError:
        return False
