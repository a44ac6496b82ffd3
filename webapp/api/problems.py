"""Errors under `/api` as RFC 9457 has them: `application/problem+json`, in words, with a code for programs."""

import json
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response

MEDIA = "application/problem+json"


class Problem(Exception):  # noqa: N818  # RFC 9457's own word
    """Ends a request with a problem."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        """Say what is wrong and what to do."""
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers or {}


def problem(status: int, code: str, detail: str | None, errors: Any = None, headers: Any = None) -> Response:
    """Return a problem as a response."""
    title = HTTPStatus(status).phrase
    said: dict[str, Any] = {"type": f"urn:lading:problem:{code}", "title": title, "status": status}
    said |= {"detail": detail or title, "code": code}
    if errors:
        said["errors"] = errors
    return Response(json.dumps(said), status, dict(headers or {}), mimetype=MEDIA)


def code_of(status: int) -> str:
    """Return the code of an error that has none of its own, such as `not-found`."""
    return HTTPStatus(status).phrase.lower().replace(" ", "-")


def install(app: APIFlask) -> None:
    """Answer with problems, and describe them in the document."""
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["AUTO_404_RESPONSE"] = False
    app.register_error_handler(Problem, _told)
    app.error_callback = _invalid  # `error_processor` would answer for the pages' errors too
    app.spec_processor(_described)


def _told(error: Problem) -> Response:
    return problem(error.status, error.code, error.detail, headers=error.headers)


def _invalid(error: HTTPError) -> Any:
    code = "invalid" if error.status_code == HTTPStatus.UNPROCESSABLE_ENTITY else code_of(error.status_code)
    return problem(error.status_code, code, error.message, error.detail, error.headers)


def _described(document: Any) -> Any:
    """Every operation may answer with a problem, and takes a token."""
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["token"] = {"type": "http", "scheme": "bearer", "description": "A personal token from the account page."}
    schema = {"$ref": "#/components/schemas/Problem"}
    document["components"].setdefault("responses", {})["Problem"] = {
        "description": "A problem, as RFC 9457 has it.",
        "content": {MEDIA: {"schema": schema}},
    }
    document["components"].setdefault("schemas", {})["Problem"] = _schema()
    for path in document.get("paths", {}).values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    return document


def _schema() -> dict[str, Any]:
    text = {"type": "string"}
    fields = {"type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text}
    return {"type": "object", "properties": {**fields, "errors": {"type": "object"}}, "required": list(fields)}
