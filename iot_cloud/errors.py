"""What can go wrong in the cloud, drawn as a tree.

CloudError
├── AlreadyRunningError       a second `up` in one run folder
├── NotRunningError           a command that needs the running cloud
├── SettingsError             the table [cloud] of lading.toml does not hold
├── ProcessError              broker or service do not start or do not stay
├── CertificateRequestError   a CSR that no certificate is given for
├── ThingNameError            a name that AWS IoT would not take either
├── ConflictError             a request that contradicts what is recorded
├── UnknownThingError         no thing of that name
└── BrokerRefusalError        the broker did not carry out a change of rights
"""


class CloudError(Exception):
    """A failure with a message that a person can act on and a reason code for programs."""

    reason = "failed"
    http_status = 500


class AlreadyRunningError(CloudError):
    """Another process serves this run folder."""

    reason = "already-running"


class NotRunningError(CloudError):
    """Nothing listens on the admin socket."""

    reason = "not-running"


class SettingsError(CloudError):
    """The settings contradict themselves or the machine."""

    reason = "settings"


class ProcessError(CloudError):
    """A child process did not start or stay."""

    reason = "process"


class CertificateRequestError(CloudError, ValueError):
    """The certificate signing request is not acceptable."""

    reason = "bad-csr"
    http_status = 400


class ThingNameError(CloudError, ValueError):
    """The name is not a thing's name."""

    reason = "bad-name"
    http_status = 400


class ConflictError(CloudError):
    """The request contradicts what is recorded."""

    reason = "conflict"
    http_status = 409


class UnknownThingError(CloudError, LookupError):
    """There is no such thing."""

    reason = "unknown-thing"
    http_status = 404


class BrokerRefusalError(CloudError):
    """The broker did not carry out a change of rights."""

    reason = "broker"
