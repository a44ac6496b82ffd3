"""The service process: `python -m iot_cloud.worker <mqtt port> <http port>`, started by `lading-cloud up`."""

import json
import logging
import os
import signal
import sys
import threading

from iot_cloud.authentication import Door
from iot_cloud.dataplane import DataPlane
from iot_cloud.delivery import Delivery
from iot_cloud.home import CloudHome, write_private
from iot_cloud.internal import internal_endpoint
from iot_cloud.limits import RateLimit
from iot_cloud.listener import Listener
from iot_cloud.names import SERVICE
from iot_cloud.records import Records
from iot_cloud.registry import Registry
from iot_cloud.routes import Answers
from iot_cloud.settings import load_settings
from iot_cloud.shadow.store import ShadowStore
from iot_cloud.signals import on_stop

log = logging.getLogger(__name__)


def main() -> int:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    mqtt_port, http_port = map(int, sys.argv[1:3])
    home, settings = CloudHome.default(), load_settings()
    endpoint = internal_endpoint(home, settings.host, mqtt_port, SERVICE)
    store = ShadowStore(home.shadows, settings.synchronous)
    records = Records(home.records, settings.keep_readings, settings.keep_events)
    limit = RateLimit(settings.requests_per_s, settings.burst)
    listener = Listener(endpoint, store, records, limit, Delivery(settings.order, settings.duplicates))
    door = Door(home, settings.region, Registry(home.registry))
    plane = DataPlane(home, (settings.host, http_port), Answers(listener.shadows, records), door)
    stopping = threading.Event()
    on_stop(stopping.set)
    signal.signal(signal.SIGHUP, lambda *_: plane.reload_trust())
    listener.start()
    plane.start()
    write_ready_when(home, listener, plane, stopping)
    stopping.wait()
    plane.stop()
    listener.stop()
    store.close()
    records.close()
    return 0


def write_ready_when(home: CloudHome, listener: Listener, plane: DataPlane, stopping: threading.Event) -> None:
    """Say that the service serves, once its subscriptions are confirmed."""
    while not listener.subscribed and not stopping.wait(0.02):
        pass
    write_private(home.service_ready, json.dumps({"pid": os.getpid(), "http_port": plane.port}))


if __name__ == "__main__":
    sys.exit(main())
