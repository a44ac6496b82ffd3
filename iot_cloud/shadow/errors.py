"""Refusals of the shadow service: HTTP status, AWS's exception name, AWS's text.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-error-messages.html
"""


class ShadowError(Exception):
    """A refused request; `code` is the same over MQTT and HTTP."""

    code = 500
    aws_type = "InternalFailureException"


class InvalidRequestError(ShadowError, ValueError):
    """The document breaks a rule."""

    code = 400
    aws_type = "InvalidRequestException"


class ForbiddenError(ShadowError):
    """Known, but without the right to this."""

    code = 403
    aws_type = "ForbiddenException"

    def __init__(self) -> None:
        super().__init__("Forbidden")


class ShadowNotFoundError(ShadowError, LookupError):
    """There is no such shadow."""

    code = 404
    aws_type = "ResourceNotFoundException"

    def __init__(self, thing: str, name: str) -> None:
        super().__init__(
            f"No shadow exists with name: '{thing}~{name}'" if name else f"No shadow exists with name: '{thing}'"
        )


class ResourceNotFoundError(ShadowError, LookupError):
    """There is nothing at this path."""

    code = 404
    aws_type = "ResourceNotFoundException"


class MethodNotAllowedError(ShadowError):
    """The path does not take this verb."""

    code = 405
    aws_type = "MethodNotAllowedException"

    def __init__(self) -> None:
        super().__init__("Method not allowed")


class VersionConflictError(ShadowError):
    """The stated version is not the current one."""

    code = 409
    aws_type = "ConflictException"

    def __init__(self) -> None:
        super().__init__("Version conflict")


class TooLargeError(ShadowError):
    """The document would outgrow the limit."""

    code = 413
    aws_type = "RequestEntityTooLargeException"

    def __init__(self) -> None:
        super().__init__("The payload exceeds the maximum size allowed")


class EncodingError(ShadowError):
    """The payload is not UTF-8."""

    code = 415
    aws_type = "UnsupportedDocumentEncodingException"

    def __init__(self) -> None:
        super().__init__("Unsupported documented encoding; supported encoding is UTF-8")


class TooManyRequestsError(ShadowError):
    """The thing sends faster than its limit."""

    code = 429
    aws_type = "ThrottlingException"

    def __init__(self) -> None:
        super().__init__("Too many requests")


class InternalError(ShadowError):
    """The store did not take the update; nothing was accepted."""

    def __init__(self) -> None:
        super().__init__("Internal service failure")
