"""The same template on a server's own ports 443 and 80, with a certificate of a company's own CA."""

import subprocess
import sys
from pathlib import Path

from proxy.listeners import bind
from proxy.settings import Settings

ROOT = Path(__file__).parents[2]


def test_ports_443_and_80_serve_with_a_company_s_certificate() -> None:
    """In a network namespace, whose root may take these ports: TLS with the whole chain, a redirect, and no forward."""
    inside = 'ip link set lo up && exec "$@"'
    command = ["unshare", "--map-root-user", "--net", "--", "sh", "-c", inside, "sh", sys.executable]
    done = subprocess.run(
        [*command, "-m", "tests.proxy.on_service_ports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, [line for line in done.stdout.splitlines() if "serves" not in line]) == (
        0,
        ["web 200 max-age=31536000", "plain GET 301 https://lading.example/sales", "plain POST 403", "seen 1"],
    ), done.stderr


def test_port_of_the_demo_needs_no_privilege() -> None:
    """Every port that is served by default can be bound by anybody."""
    devices, wallets, host = (Settings.model_fields[name].default for name in ("devices_port", "wallets_port", "host"))
    assert min(devices, wallets) >= 1024
    for listener in bind({"any": (host, 0)}).values():
        listener.close()
