"""mosquitto: its configuration, every line of which was found by a failure, and its rights file."""

import getpass
import os
import shutil
from pathlib import Path

from iot_cloud.errors import ProcessError
from iot_cloud.home import CloudHome, write_private
from iot_cloud.names import check_thing
from iot_cloud.policy import Role, broker_document
from iot_cloud.registry import Registry
from iot_cloud.settings import Settings
from iot_cloud.shadow.document import compact

MAX_PAYLOAD = 128 * 1024
CONFIGURATION = """\
# Written by lading-cloud at every start; edit lading.toml instead.
{user}log_dest stderr
log_dest topic
log_type error
log_type warning
log_type notice
log_type subscribe
log_type unsubscribe
log_timestamp_format %Y-%m-%dT%H:%M:%S

# Nagle's algorithm costs 44 ms a round trip.
set_tcp_nodelay true
# By default messages beyond 1,000 are dropped silently, although acknowledged.
# With 0 a publish without the right to it ends the session, as AWS IoT does.
max_queued_messages 0
max_inflight_messages 0
max_packet_size {max_packet}
persistence true
persistence_location {folder}/
autosave_interval 60

plugin {plugin}
plugin_opt_config_file {folder}/dynamic-security.json
allow_anonymous false

listener {port} {host}
cafile {ca}
crlfile {crl}
certfile {certificate}
keyfile {key}
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
# A client that named itself like another would end the other's session and take its queue.
use_username_as_clientid true
"""


def command(home: CloudHome) -> list[str]:
    """How mosquitto is started."""
    return [_mosquitto(), "-c", str(home.broker / "mosquitto.conf")]


def write_configuration(home: CloudHome, settings: Settings, port: int) -> None:
    """Write mosquitto's configuration for this port."""
    # mosquitto started by root becomes another user, who could not read the keys.
    user = f"user {getpass.getuser()}\n" if os.geteuid() == 0 else ""
    text = CONFIGURATION.format(
        user=user,
        max_packet=MAX_PAYLOAD + 4096,
        folder=home.broker,
        plugin=_plugin(),
        port=port,
        host=settings.host,
        ca=home.ca_certificates,
        crl=home.crl,
        certificate=home.keys / "server.pem",
        key=home.keys / "server.key",
    )
    write_private(home.broker / "mosquitto.conf", text)


def write_rights(home: CloudHome, registry: Registry) -> None:
    """Write the plugin's file from the registry, so that the two cannot drift apart across a crash."""
    clients = {check_thing(entry.thing): Role(entry.role) for entry in registry.all_active()}
    write_private(home.broker / "dynamic-security.json", compact(broker_document(clients)))


def _mosquitto() -> str:
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which("mosquitto", path=search)
    if found is None:
        raise ProcessError("mosquitto is not installed: apt-get install mosquitto")
    return found


def _plugin() -> Path:
    for folder in ("/usr/lib", "/usr/local/lib"):
        for found in sorted(Path(folder).glob("**/mosquitto_dynamic_security.so")):
            return found
    raise ProcessError("mosquitto's plugin mosquitto_dynamic_security.so is not installed")
