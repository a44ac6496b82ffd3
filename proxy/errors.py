"""What can go wrong at the gateway.

GatewayError
├── SettingsError     a setting, certificate or list that the gateway cannot start with
├── NginxError        nginx does not take the configuration
├── DiskError                something cannot be written
├── NotRunningError          nothing answers on the admin socket
├── RefusedError             the running gateway, or the cloud, has said no
├── AlreadyRunningError      another gateway holds this run folder
├── PortTakenError           a port that the gateway was told to listen on is in use
├── BadRequestError          an admin request that makes no sense
├── AlreadyAdmittedError     a device or user of this name exists with other facts
└── UnknownError             no device or user of this name
"""


class GatewayError(Exception):
    """Base of all: carries a reason code beside the message."""

    reason = "gateway"
    status = 500


class SettingsError(GatewayError):
    """A setting, certificate or list that the gateway cannot start with."""

    reason = "settings"
    status = 400


class NginxError(GatewayError):
    """Nginx does not take the configuration, or did not start with it."""

    reason = "nginx"
    status = 400


class DiskError(GatewayError):
    """Something cannot be written: the disk is full or forbids it."""

    reason = "disk"


class NotRunningError(GatewayError):
    """Nothing answers on the admin socket."""

    reason = "not_running"


class RefusedError(GatewayError):
    """The running gateway, or the cloud, has said no; its own words."""

    reason = "refused"


class AlreadyRunningError(GatewayError):
    """Another gateway holds this run folder."""

    reason = "already_running"


class PortTakenError(GatewayError):
    """A port that the gateway was told to listen on is in use."""

    reason = "port_taken"


class BadRequestError(GatewayError):
    """An admin request that makes no sense."""

    reason = "bad_request"
    status = 400


class AlreadyAdmittedError(GatewayError):
    """A device or user of this name exists with other facts."""

    reason = "already_admitted"
    status = 409


class UnknownError(GatewayError):
    """No device or user of this name."""

    reason = "unknown"
    status = 404
