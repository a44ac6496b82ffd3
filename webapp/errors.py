"""What can go wrong in the web application, each with words that a person can act on.

WebError
├── SettingsError      the run folder or the settings lack something
├── NodeUnreachable    no chain node answers
├── Refused            the request is understood and refused; nothing was sent
│   ├── WrongPassphrase
│   ├── Busy           too many wait for the same thing
│   ├── InvalidInput   carries the name of the field
│   └── NotAllowed     the person's role does not reach this object
├── CloudError         the IoT cloud refused or is unreachable
├── GatewayError       the gateway refused or is unreachable
└── ForeignIndex       the index on disk belongs to another chain
"""


class WebError(Exception):
    """Base of all; `code` is for programs, the message for people."""

    code = "error"


class SettingsError(WebError):
    """The settings or the run folder lack something."""

    code = "settings"


class NodeUnreachable(WebError, ConnectionError):  # noqa: N818
    """No chain node answers."""

    code = "node-unreachable"

    def __init__(self, tried: str = "") -> None:
        """Say what holds; what was tried is a note for whoever runs this, not for the pages' readers."""
        super().__init__(
            "No chain node answers. Nothing was sent; what was signed before is kept and goes on by itself."
        )
        if tried:
            self.add_note(f"Tried: {tried}.")


class Refused(WebError):  # noqa: N818
    """Understood and refused; nothing was sent to the chain."""

    code = "refused"


class WrongPassphrase(Refused):
    """The passphrase does not open the key."""

    code = "wrong-passphrase"

    def __init__(self) -> None:
        """Say that nothing was sent."""
        super().__init__("That passphrase does not open this account. Nothing was sent.")


class Busy(Refused):
    """Too many wait for the same thing."""

    code = "busy"


class InvalidInput(Refused, ValueError):  # noqa: N818
    """A value that was entered cannot be used."""

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        """Remember the field."""
        super().__init__(message)
        self.field = field


class NotAllowed(Refused, PermissionError):  # noqa: N818
    """The person's role does not reach this object."""

    code = "not-allowed"


class CloudError(WebError):
    """The IoT cloud refused or is unreachable."""

    code = "cloud"


class GatewayError(WebError):
    """The gateway refused or is unreachable."""

    code = "gateway"


class ForeignIndex(WebError):  # noqa: N818
    """The index on disk belongs to another chain."""

    code = "foreign-index"
