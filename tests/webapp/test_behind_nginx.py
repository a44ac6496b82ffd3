"""Behind a real nginx the pages are served over TLS from one origin, and know it."""

import re
import socket
import ssl
import subprocess
import threading

import httpx
import pytest
import trustme
from werkzeug.serving import make_server
from worlds import PASSPHRASE, free_port, wait_for

from webapp.app import create_app
from webapp.services import Services

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-Host $http_host;
        }}
    }}
}}
"""


@pytest.fixture
def origin(world, tmp_path):
    """The address that nginx serves, and a client that trusts its certificate."""
    settings = world.parts.settings.model_copy(update={"trusted_proxies": 1})
    parts = Services.over(settings, world.parts.chain)
    server = make_server("127.0.0.1", 0, create_app(settings, parts), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(tmp_path / "server.pem", append=True)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    file = tmp_path / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=tmp_path, port=port, upstream=server.port))
    nginx = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", "nginx", "-p", tmp_path, "-c", file])
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=authority_context(authority)) as client:
        wait_for(lambda: answers(client))
        yield client
    nginx.terminate()  # in order: killed, it would leave its worker behind, which goes on listening
    nginx.wait(60)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)), "nginx still listens after it was ended"
    server.shutdown()
    thread.join()
    server.server_close()
    parts.unlocker.close()
    parts.cloud.close()
    parts.database.close()


def authority_context(authority):
    """A TLS context that trusts only this authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def token_of(page):
    """The token of a page's forms."""
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]


def answers(client):
    """Whether nginx and the application behind it serve."""
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_the_same_origin_serves_tls(world, origin):
    """Cookies are Secure, transport security is strict, redirects and the wallet's message name the TLS origin."""
    page = origin.get("/sign-in")
    assert "max-age" in page.headers["Strict-Transport-Security"]
    token = token_of(page.text)
    body = {"csrf_token": token, "name": "buyer", "passphrase": PASSPHRASE}
    base = str(origin.base_url).rstrip("/")
    answer = origin.post("/sign-in?next=/orders", data=body, headers={"Referer": f"{base}/sign-in"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/orders")
    assert "Secure" in answer.headers["Set-Cookie"]
    orders = origin.get("/orders")
    assert orders.status_code == 200
    headers = {"X-CSRFToken": token_of(orders.text), "Referer": f"{base}/orders"}
    address = world.people["other"].address
    asked = origin.post("/wallet/challenge", json={"address": address}, headers=headers)
    assert f"URI: {base}" in asked.json()["message"]
    headers["Referer"] = "https://evil.example/"
    assert origin.post("/wallet/challenge", json={"address": address}, headers=headers).status_code == 400
