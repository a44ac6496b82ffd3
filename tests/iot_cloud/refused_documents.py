"""Every refusal of a shadow document that AWS's table of error messages lists, with its code, type and text."""

import json

DEEP = {"state": {"desired": {"a": {"b": {"c": {"d": {"e": {"f": {}}}}}}}}}
CASES = [
    (b"{", 400, "InvalidRequestException", "Invalid JSON"),
    (b"{}", 400, "InvalidRequestException", "Missing required node: state"),
    (b'{"state": 1}', 400, "InvalidRequestException", "State node must be an object"),
    (b'{"state": {"desired": 1}}', 400, "InvalidRequestException", "Desired node must be an object"),
    (b'{"state": {"reported": 1}}', 400, "InvalidRequestException", "Reported node must be an object"),
    (b'{"state": {}, "version": "1"}', 400, "InvalidRequestException", "Invalid version"),
    (b'{"state": {}, "clientToken": 1}', 400, "InvalidRequestException", "Invalid clientToken"),
    (b'{"state": {"x": {}}}', 400, "InvalidRequestException", "State contains an invalid node: 'x'"),
    (
        json.dumps(DEEP).encode(),
        400,
        "InvalidRequestException",
        "JSON contains too many levels of nesting; maximum is 6",
    ),
    (b'{"state": {}, "version": 9}', 409, "ConflictException", "Version conflict"),
    (
        json.dumps({"state": {"desired": {"a": "x" * 8200}}}).encode(),
        413,
        "RequestEntityTooLargeException",
        "The payload exceeds the maximum size allowed",
    ),
    (b"x" * 140_000, 413, "RequestEntityTooLargeException", "The payload exceeds the maximum size allowed"),
    (
        b"\xff",
        415,
        "UnsupportedDocumentEncodingException",
        "Unsupported documented encoding; supported encoding is UTF-8",
    ),
]
