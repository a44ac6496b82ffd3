"""What the commands do: on the running cloud through its admin socket and data plane, or on AWS."""

import argparse
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iot_cloud.admin_client import call
from iot_cloud.errors import CloudError, NotRunningError
from iot_cloud.home import CloudHome, write_private
from iot_cloud.lock import lock_owner
from iot_cloud.policy import Role, aws_policy
from iot_cloud.settings import load_settings

Options = argparse.Namespace
DOWN_TIMEOUT_S = 60.0
LOCAL_ARN = "arn:aws:iot:local:000000000000"


def up(_options: Options) -> None:
    """Serve."""
    from iot_cloud import supervisor

    supervisor.up(CloudHome.default(), load_settings(), _say)


def down(_options: Options) -> None:
    """Stop the running cloud and wait until it is gone."""
    home = CloudHome.default()
    owner = lock_owner(home.lock)
    if owner is None:
        raise NotRunningError(f"no cloud runs in {home.root}")
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while lock_owner(home.lock) == owner:
        if time.monotonic() > deadline:
            raise CloudError(f"process {owner} does not stop; see {home.log('cloud')}")
        time.sleep(0.05)
    _say("stopped")


def status(options: Options) -> None:
    """What runs."""
    facts = _aws_status() if options.aws else _status(CloudHome.default())
    _show(facts) if options.json else _lines(facts)


def _status(home: CloudHome) -> dict[str, Any]:
    facts = home.read_ready()
    return facts | {"things": len(call(home, "GET", "/things")["things"])}


def _aws_status() -> dict[str, Any]:
    from iot_cloud import aws

    return aws.status(load_settings())


def rotate_authority(options: Options) -> None:
    """A new authority, or the end of the old ones."""
    if options.finish:
        from iot_cloud import supervisor

        _say(f"distrusted {supervisor.retire_authorities(CloudHome.default())} authorities from the next start on")
        return
    call(CloudHome.default(), "POST", "/authority")
    _say(f"a new authority signs from now on: hand {CloudHome.default().ca_certificates} to gateway and devices")


def provision(options: Options) -> None:
    """A certificate for a thing, written beside its key."""
    csr = _demo_request(options) if options.demo_key else _read(options.csr)
    try:
        answer = _provision(options, csr)
    except CloudError:
        if options.demo_key:
            _demo_key(options).unlink()
        raise
    _write(options.out / f"{options.thing}.pem", answer["certificate"])
    _write(options.out / "ca.pem", answer["ca"])
    _say(f"{options.thing}: serial {answer['serial']}, valid until {datetime.fromtimestamp(answer['not_after'], UTC)}")


def _provision(options: Options, csr: str) -> Any:
    body = {"thing": options.thing, "csr": csr, "role": options.role}
    if options.aws:
        from iot_cloud import aws

        return aws.provision(CloudHome.default(), load_settings(), body, dry_run=options.dry_run, say=_say)
    path = f"/things/{options.thing}/certificates" if options.renew else "/things"
    return call(CloudHome.default(), "POST", path, body)


def revoke(options: Options) -> None:
    """The end of a thing's access."""
    if options.aws:
        from iot_cloud import aws

        aws.revoke(load_settings(), options.thing, dry_run=options.dry_run, say=_say)
        return
    answer = call(CloudHome.default(), "DELETE", f"/things/{options.thing}")
    _say(f"{options.thing}: revoked {', '.join(answer['revoked']) or 'before'}")


def list_things(options: Options) -> None:
    """All things."""
    if options.aws:
        from iot_cloud import aws

        things = aws.list_things(load_settings(), dry_run=options.dry_run, say=_say)
    else:
        things = call(CloudHome.default(), "GET", "/things")["things"]
    if options.json:
        _show({"things": things})
        return
    for thing in things:
        _say("  ".join(str(thing.get(key, "")) for key in ("thing", "role", "serial")))


def policy(options: Options) -> None:
    """A thing's rights, in AWS's notation."""
    if options.aws:
        from iot_cloud import aws

        _show(aws.policy(load_settings(), options.thing, dry_run=options.dry_run, say=_say))
        return
    things = call(CloudHome.default(), "GET", "/things")["things"]
    role = next((Role(thing["role"]) for thing in things if thing["thing"] == options.thing), None)
    if role is None:
        raise CloudError(f"there is no thing {options.thing}")
    _show(aws_policy(role, options.thing, LOCAL_ARN))


def server_certificate(options: Options) -> None:
    """A TLS server's certificate."""
    body = {"name": options.name, "hosts": options.hosts, "csr": _read(options.csr)}
    answer = call(CloudHome.default(), "POST", "/servers", body)
    _write(options.out / f"{options.name}.pem", answer["certificate"])
    _say(f"{options.name}: serial {answer['serial']} for {', '.join(options.hosts)}")


def shadow(options: Options) -> None:
    """Read, change or delete a shadow."""
    from iot_cloud import operator_shadow

    document = getattr(options, "document", None)
    if document == "-":
        document = sys.stdin.read()
    answer = operator_shadow.ask(
        CloudHome.default(), load_settings(), options.thing, document=document, options=options
    )
    _show(answer)


def watch(options: Options) -> None:
    """Print what happens until interrupted."""
    from iot_cloud import watching

    watching.watch(CloudHome.default(), load_settings(), options.thing, _say, options)


def _demo_request(options: Options) -> str:
    from iot_cloud import certificates

    key = certificates.new_key()
    options.out.mkdir(parents=True, exist_ok=True)
    path = _demo_key(options)
    if path.exists():
        raise CloudError(f"{path} exists: choose another --out, or use its CSR")
    write_private(path, certificates.key_pem(key))
    return certificates.request(options.thing, key)


def _demo_key(options: Options) -> Path:
    return Path(options.out) / f"{options.thing}.key"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CloudError(f"{path} cannot be read: {error}") from error


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _show(value: Any) -> None:
    from iot_cloud.routes import to_json

    _say(to_json(value))


def _lines(facts: dict[str, Any]) -> None:
    for key, value in facts.items():
        _say(f"{key:<10} {value}")


def _say(text: str) -> None:
    print(text, flush=True)
