"""What can go wrong with the chain, each with a reason code and what to do about it.

ChainError
├── SettingsError      a setting or an option that cannot work
├── MissingBinaryError geth, bootnode or a stand-in is not there
├── FolderError        the run folder is not what the command needs
├── RunningError       the network runs, or does not run, and should not, or should
├── PortTakenError     another process listens on a port of ours
├── UnsafeFileError    a secret that others can read
├── NodeError          a node ended, or did not become ready
├── RpcError           a node refused a request or did not answer
└── BundleError        a bundle or a backup that does not belong here
"""


class ChainError(Exception):
    """A refusal in words that a person can act on."""

    reason = "chain"


class SettingsError(ChainError, ValueError):
    """A setting or an option that cannot work."""

    reason = "settings"


class MissingBinaryError(ChainError, FileNotFoundError):
    """A program that the chain needs is not there."""

    reason = "missing-binary"


class FolderError(ChainError):
    """The run folder is missing, used, or of another chain."""

    reason = "folder"


class RunningError(ChainError):
    """The network is running where it must not, or not where it must."""

    reason = "running"


class PortTakenError(ChainError, OSError):
    """Another process listens on a port that the network was given."""

    reason = "port-taken"


class UnsafeFileError(ChainError, PermissionError):
    """A secret is readable by others."""

    reason = "unsafe-file"


class NodeError(ChainError):
    """A node ended or never became ready."""

    reason = "node"


class RpcError(ChainError):
    """A node refused a request, or did not answer in time."""

    reason = "rpc"

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class BundleError(ChainError):
    """A bundle, a member's card or a backup that does not belong to this chain."""

    reason = "bundle"
