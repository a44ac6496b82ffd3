"""A person at the web application: reads pages and sends their forms, as a browser does without scripts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from scripts.story.processes import await_condition

SETTLED_S = 60
UNSENT = ("file", "radio", "checkbox")  # unless checked


class PageRefused(RuntimeError):  # noqa: N818  # reads as what happened
    """The application refused what was asked; the message is the page's own."""


@dataclass
class Form:
    """A form of a page: where it goes and what it holds before anything is typed."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What a page says: its forms, its values marked with data-name, its complaints."""

    def __init__(self, text: str) -> None:
        """Read a page's HTML."""
        super().__init__()
        self.forms: list[Form] = []
        self.values: dict[str, str] = {}
        self.complaints: list[str] = []
        self._collecting: tuple[str, str] | None = None
        self._select: str | None = None
        self.feed(text)

    def form(self, mark: str) -> Form:
        """Return the form that posts to an address ending with `mark`, or that has a field of that name."""
        found = [form for form in self.forms if form.action.split("?")[0].endswith(mark) or mark in form.fields]
        if not found:
            raise PageRefused(f"the page has no form for {mark}: {' '.join(self.complaints)}")
        return found[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect forms, fields and marked values."""
        names = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(names.get("action", "")))
        elif tag == "select":
            self._select = names.get("name")
        elif self.forms and tag in ("input", "option", "textarea"):
            self._collect_field(tag, names)
        if "data-state" in names:
            self.values["state"] = names["data-state"]
        if "data-name" in names:
            self._collecting = (tag, names["data-name"])
        elif names.get("role") == "alert" or names.get("class", "").startswith("error"):
            self._collecting = (tag, "")

    def handle_endtag(self, tag: str) -> None:
        """Stop collecting where its element ends."""
        if self._collecting and self._collecting[0] == tag:
            self._collecting = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        """Take the text of what is being collected."""
        if not self._collecting or not data.strip():
            return
        if name := self._collecting[1]:
            self.values[name] = self.values.get(name, "") + data.strip()
        else:
            self.complaints.append(data.strip())

    def _collect_field(self, tag: str, names: dict[str, str]) -> None:
        fields = self.forms[-1].fields
        if tag == "option":
            if self._select and (self._select not in fields or "selected" in names):
                fields[self._select] = names.get("value", "")
        elif "name" in names and (names.get("type") not in UNSENT or "checked" in names):
            fields[names["name"]] = names.get("value", "")


class Visitor:
    """One person with cookies of their own."""

    def __init__(self, url: str) -> None:
        """Open the application at a URL."""
        self.http = httpx.Client(base_url=url, timeout=90)

    def read(self, path: str) -> Page:
        """Read a page."""
        return Page(self._answer(self.http.get(path, follow_redirects=True)).text)

    def finds(self, path: str) -> bool:
        """Tell whether a page is there."""
        return self.http.get(path).status_code == 200

    def download(self, path: str) -> bytes:
        """Fetch a file."""
        return self._answer(self.http.get(path)).content

    def send(self, path: str, mark: str, **typed: str) -> str:
        """Fill the form of a page that `mark` tells, send it, and return the address it leads to.

        Raises:
            PageRefused: the page shows a complaint instead.
        """
        form = self.read(path).form(mark)
        target = urljoin(path, form.action) if form.action else path
        answer = self.http.post(target, data={**form.fields, **typed})
        if answer.status_code not in (302, 303):
            raise PageRefused(" ".join(Page(answer.text).complaints) or f"status {answer.status_code}")
        return answer.headers["location"]

    def send_file(self, path: str, action: str, name: str, content: bytes) -> str:
        """Fill the file form of a page, send it, and return what the page then says."""
        form = self.read(path).form(action)
        answer = self.http.post(
            form.action, data=form.fields, files={"picture": (name, content, "image/png")}, follow_redirects=True
        )
        return self._answer(answer).text

    def sign_in(self, name: str, passphrase: str) -> None:
        """Sign in with a built-in account."""
        self.send("/sign-in", "/sign-in", name=name, passphrase=passphrase)

    def follow(self, transaction: str) -> dict[str, str]:
        """Wait until a transaction's page says that it is in a block and settled; return its marked values."""

        def settled() -> dict[str, str] | None:
            page = self.read(transaction)
            if page.complaints:
                raise PageRefused(" ".join(page.complaints))
            return page.values if page.values.get("state") == "done" else None

        return await_condition(settled, f"settling of {transaction}", SETTLED_S)

    @staticmethod
    def _answer(answer: httpx.Response) -> httpx.Response:
        if answer.status_code >= 400:
            words = " ".join(Page(answer.text).complaints) if "html" in answer.headers.get("content-type", "") else ""
            raise PageRefused(words or f"{answer.url.path} answered {answer.status_code}")
        return answer
