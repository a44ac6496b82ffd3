"""`lading-cloud up`: authority, broker, service and admin API as one whole, started and stopped in order."""

import contextlib
import json
import logging
import os
import resource
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator

from iot_cloud import broker
from iot_cloud.admin import AdminServer
from iot_cloud.authority import Authority
from iot_cloud.child import Child
from iot_cloud.dynsec import BrokerRights
from iot_cloud.enrolment import Enrolment, NoRights
from iot_cloud.errors import CloudError, ProcessError, SettingsError
from iot_cloud.health import look
from iot_cloud.home import CloudHome, write_private
from iot_cloud.internal import internal_endpoint, issue_internal
from iot_cloud.lock import RunLock
from iot_cloud.monitor import monitored
from iot_cloud.names import ADMIN
from iot_cloud.operator_key import operator_key
from iot_cloud.registry import Registry
from iot_cloud.run_folder import run_folder, settings_file
from iot_cloud.settings import Settings
from iot_cloud.signals import on_stop

log = logging.getLogger(__name__)
START_TIMEOUT_S = 120.0
HOUSEKEEPING_S = 60.0
GUARD_S = 0.5
WATCH_S = 0.2


class Supervisor:
    """Everything that runs, and the order in which it starts and stops."""

    def __init__(self, home: CloudHome, settings: Settings) -> None:
        self._home, self._settings = home, settings
        self._stopping = threading.Event()
        self._mqtt_port = settings.mqtt_port or _free_port(settings.host)
        self._http_port = settings.http_port
        self._registry = Registry(home.registry)
        self._authority = Authority(home, self._registry)
        self._broker = Child("broker", self._broker_command, home.log("broker"))
        self._service = Child("service", self._service_command, home.log("service"))
        self._enrolment = Enrolment(home, settings, self._registry, self._authority, NoRights(), self._reload_trust)

    def run(self, announce: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM."""
        on_stop(self._stopping.set)
        with contextlib.ExitStack() as undo:
            self._start(undo)
            parts = (self._broker, self._service)
            undo.enter_context(monitored(self._settings.monitor, lambda: look(parts, self._registry)))
            write_private(self._home.ready, json.dumps(self._facts()))
            undo.callback(self._home.ready.unlink, missing_ok=True)
            announce(f"the cloud serves: MQTT {self._settings.host}:{self._mqtt_port}, {self._facts()['http']}")
            self._watch()

    def _start(self, undo: contextlib.ExitStack) -> None:
        _check_port(self._settings.host, self._mqtt_port, "mqtt_port")
        _check_port(self._settings.host, self._http_port, "http_port")
        _raise_file_limit()
        operator_key(self._home)
        self._authority.write_crl(self._settings.crl_days)
        issue_internal(self._home, self._settings, self._authority, time.time())
        self._broker.start()
        undo.callback(self._broker.stop)
        endpoint = internal_endpoint(self._home, self._settings.host, self._mqtt_port, ADMIN)
        rights = BrokerRights(endpoint)
        undo.callback(rights.close)
        self._await(self._broker, lambda: rights.wait_until_listening(0.05))
        self._enrolment.rights = rights
        self._home.service_ready.unlink(missing_ok=True)
        self._service.start()
        undo.callback(self._service.stop)
        self._await(self._service, self._home.service_ready.exists)
        self._http_port = json.loads(self._home.service_ready.read_text())["http_port"]
        undo.callback(AdminServer(self._home.admin_socket, self._enrolment).close)

    def _watch(self) -> None:
        tidy = threading.Thread(target=self._tidy, name="housekeeping", daemon=True)
        tidy.start()
        while not self._stopping.wait(WATCH_S):
            for child in (self._broker, self._service):
                with _carrying_on(f"starting the {child.name}"):
                    if child.revive():
                        log.warning("%s died and was started again: %s", child.name, child.last_words())
        tidy.join()

    def _tidy(self) -> None:
        # On a thread of its own: it may have to wait for a change of rights that waits for a broker to be revived.
        tidied_at = time.monotonic()
        while not self._stopping.wait(GUARD_S):
            with _carrying_on("housekeeping"):
                if self._enrolment.guard_list():
                    log.warning("the revocation list was old or not ours: written anew")
                if time.monotonic() - tidied_at > HOUSEKEEPING_S:
                    tidied_at = time.monotonic()
                    self._enrolment.housekeeping()

    def _broker_command(self) -> list[str]:
        broker.write_configuration(self._home, self._settings, self._mqtt_port)
        broker.write_rights(self._home, self._registry)
        if self._authority.crl_is_stale(self._settings.crl_days):
            self._authority.write_crl(self._settings.crl_days)
        return broker.command(self._home)

    def _service_command(self) -> list[str]:
        return [sys.executable, "-m", "iot_cloud.worker", str(self._mqtt_port), str(self._http_port)]

    def _reload_trust(self) -> None:
        self._broker.send(signal.SIGHUP)
        self._service.send(signal.SIGHUP)

    def _facts(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "host": self._settings.host,
            "mqtt_port": self._mqtt_port,
            "http": f"https://{self._settings.host}:{self._http_port}",
            "ca": str(self._home.ca_certificates),
        }

    def _await(self, child: Child, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not condition():
            if child.pid is None or time.monotonic() > deadline:
                raise ProcessError(f"the {child.name} did not start:\n{child.last_words()}")
            if self._stopping.wait(0.02):
                raise CloudError("stopped while starting")


def up(home: CloudHome, settings: Settings, announce: Callable[[str], None]) -> None:
    """Run the cloud in the foreground."""
    # The children run elsewhere: a relative path would mean another folder to them.
    os.environ |= {"LADING_HOME": str(run_folder()), "LADING_CONFIG": str(settings_file())}
    home.create()
    lock = RunLock(home.lock)
    logging.basicConfig(
        filename=home.log("cloud"),
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    try:
        Supervisor(home, settings).run(announce)
    finally:
        lock.release()


def retire_authorities(home: CloudHome) -> int:
    """Distrust all authorities but the issuing one, while no cloud runs; how many there were."""
    home.create()
    lock = RunLock(home.lock)
    try:
        return Authority(home, Registry(home.registry)).retire_predecessors()
    finally:
        lock.release()


@contextlib.contextmanager
def _carrying_on(what: str) -> Iterator[None]:
    """A full disk or a locked file is said; the cloud goes on and tries again."""
    try:
        yield
    except (OSError, sqlite3.Error, CloudError) as error:
        log.error("%s failed: %s", what, error)  # noqa: TRY400
        time.sleep(1.0)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _check_port(host: str, port: int, key: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"{host}:{port} cannot be listened on ({error.strerror}): set {key} in [cloud] of lading.toml"
            raise SettingsError(message) from error


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
