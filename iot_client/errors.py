# ruff: noqa: N818 - the names say what is wrong
"""What can go wrong on the Pi, each with a code for programs and a sentence for people.

PiError
├── ConfigError          a setting is missing or wrong
├── EnrolmentError       keys, certificate or bundle do not fit together
├── PictureError         a picture that is not decoded (too large, not a picture, too many bytes)
├── ChainUnreachable     the gateway or every node behind it does not answer
├── CloudUnreachable     the IoT cloud does not answer
├── GateError            the gate cannot be driven
├── JournalError         the journal is in use, or not what it should be
└── NotNow               an event that the release's state does not allow
"""


class PiError(Exception):
    """Everything the Pi raises by itself; the message says what to do."""

    reason = "pi"


class ConfigError(PiError):
    """A setting is missing or wrong."""

    reason = "config"


class EnrolmentError(PiError):
    """Keys, certificate or bundle do not fit together."""

    reason = "enrolment"


class PictureError(PiError):
    """A picture that is refused before it is decoded."""

    reason = "picture"


class ChainUnreachable(PiError, ConnectionError):
    """The gateway, or every node behind it, does not answer."""

    reason = "chain-unreachable"


class CloudUnreachable(PiError, ConnectionError):
    """The IoT cloud does not answer."""

    reason = "cloud-unreachable"


class GateError(PiError):
    """The gate cannot be driven."""

    reason = "gate"


class JournalError(PiError):
    """The journal is in use by another process, or not what it should be."""

    reason = "journal"


class NotNow(PiError):
    """An event that the release's state does not allow; nothing changes."""

    reason = "not-now"
