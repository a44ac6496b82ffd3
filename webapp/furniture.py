"""What every template may use: money, times, addresses, who is signed in."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, g, url_for
from markupsafe import Markup

from contracts.sale import Status
from webapp.access import current_user
from webapp.identicon import identicon
from webapp.log_words import tone_of, words_of
from webapp.models import SaleRow, SiteRow, User, now
from webapp.money import format_eth, plain_eth
from webapp.services import services

STATUS_WORDS = {
    Status.LISTED: "For sale",
    Status.SOLD: "Sold, to be collected",
    Status.RELEASING: "Being handed over",
    Status.RELEASED: "Collected",
    Status.CANCELLED: "Withdrawn",
    Status.REFUNDED: "Refunded",
}


COPY = Markup('<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z"/></svg>')


def install(app: Flask) -> None:
    """Give the templates their filters and globals."""
    app.add_template_filter(format_eth, "eth")
    app.add_template_filter(plain_eth)
    app.add_template_filter(when)
    app.add_template_filter(short)
    app.add_template_filter(address)
    app.add_template_filter(identicon)
    app.add_template_filter(status_words)
    app.add_template_filter(period)
    app.add_template_filter(span)
    app.add_template_filter(json.dumps, "json")
    app.add_template_filter(lambda text: int(text, 16), "hex_int")
    app.add_template_filter(when_any)
    app.add_template_filter(ago)
    app.add_template_filter(words_of, "log_words")
    app.add_template_filter(tone_of, "log_tone")
    app.add_template_filter(lambda table: {k: v for k, v in table.items() if v is not None}, "no_none")
    app.context_processor(_globals)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    version = _assets_version(Path(app.static_folder or ""))
    app.jinja_env.globals["asset"] = lambda name: url_for("static", filename=name, v=version)


def _globals() -> dict[str, Any]:
    user = current_user()
    return {
        "user": user,
        "name_of": name_of,
        "chain_id": services().chain.chain_id,
        "wallet_rpc": services().settings.wallet_rpc,
        "Status": Status,
    }


def _assets_version(folder: Path) -> str:
    return str(max((int(path.stat().st_mtime) for path in folder.rglob("*") if path.is_file()), default=0))


def when(seconds: int | None) -> Markup:
    """Return a time that the browser shows in the viewer's zone; UTC without script."""
    if not seconds:
        return Markup("&ndash;")
    moment = datetime.fromtimestamp(seconds, UTC)
    text = moment.strftime("%-d %b %Y, %H:%M UTC")
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), text)


def when_any(moment: object) -> Markup:
    """Return a time as a device wrote it: Unix seconds, or milliseconds."""
    if not isinstance(moment, int | float):
        return Markup("&ndash;")
    return when(int(moment / 1000 if moment > 10**11 else moment))


def ago(seconds: int) -> str:
    """Return how long ago a moment was when the page was made."""
    return f"{span(max(0, now() - seconds))} ago"


def short(text: str | None, ends: int = 6) -> str:
    """Return the two ends of a hash or an address."""
    if not text or len(text) < 2 * ends + 4:
        return text or ""
    return f"{text[: ends + 2]}…{text[-ends + 2 :]}"


def address(text: str | None) -> Markup:
    """Return an address with its identicon and a button that copies it."""
    if not text:
        return Markup("")
    return Markup(
        '<span class="address">{}<code title="{}">{}</code>'
        '<button type="button" class="copy" data-copy="{}" aria-label="Copy {}">{}</button></span>'
    ).format(identicon(text), text, short(text), text, text, COPY)


def status_words(status: int) -> str:
    """Return a status in plain words."""
    return STATUS_WORDS[Status(status)]


def period(seconds: int) -> str:
    """Return a length of time in days or hours."""
    days, rest = divmod(seconds, 86_400)
    if days and not rest:
        return f"{days} day{'s' if days != 1 else ''}"
    hours = max(1, round(seconds / 3600))
    return f"{hours} hour{'s' if hours != 1 else ''}"


def span(seconds: int | None) -> str:
    """Return how long something took, in the unit that people would use."""
    if seconds is None:
        return "\N{EN DASH}"
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}".replace(".0 ", " ")
    return f"{seconds} s"


def name_of(wallet: str | None) -> User | None:
    """Return the account of an address, looked up once a request."""
    if wallet is None:
        return None
    names: dict[str, User | None] = g.setdefault("names", {})
    if wallet not in names:
        remember_names([wallet])
    return names[wallet]


def name_known(wallet: str, user: User | None) -> None:
    """Take the account of an address from who has looked it up already."""
    g.setdefault("names", {})[wallet] = user


def remember_names(wallets: list[str]) -> None:
    """Look the accounts of many addresses up at once."""
    from sqlalchemy import select

    names: dict[str, User | None] = g.setdefault("names", {})
    missing = [wallet for wallet in set(wallets) if wallet not in names]
    if not missing:
        return
    with services().database.read() as db:
        found = {user.address: user for user in db.scalars(select(User).where(User.address.in_(missing)))}
    names.update({wallet: found.get(wallet) for wallet in missing})


def sites_by_id(rows: list[SaleRow]) -> dict[int, SiteRow]:
    """Return the sites of these sales."""
    from sqlalchemy import select

    wanted = {row.site for row in rows}
    with services().database.read() as db:
        return {site.id: site for site in db.scalars(select(SiteRow).where(SiteRow.id.in_(wanted)))}
