"""The application factory."""

from datetime import timedelta

from apiflask import APIFlask
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import api, furniture, hardening, pages
from webapp.hub import Hub
from webapp.live import room_for
from webapp.secret_files import kept_secret
from webapp.services import Services
from webapp.settings import Settings

MAX_UPLOAD = 6 * 2**20
csrf = CSRFProtect()


def create_app(settings: Settings | None = None, parts: Services | None = None) -> APIFlask:
    """Return the application over these services, or over those that the settings name.

    Raises:
        SettingsError: something in the run folder is missing.
    """
    settings = settings or Settings()
    parts = parts or Services.open(settings)
    app = _configured(settings)
    app.extensions["lading"] = parts
    app.extensions["hub"] = Hub(parts.database, parts.chain.chain_id, room_for(settings.threads))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    csrf.init_app(app)
    hardening.install(app)
    furniture.install(app)
    pages.register(app)
    app.register_blueprint(api.bp)
    csrf.exempt(api.bp)  # what changes something there wants a token, which no browser sends by itself
    api.install(app)
    return app


def _configured(settings: Settings) -> APIFlask:
    app = APIFlask(
        __name__,
        title="Lading",
        json_errors=False,
        version="0.1.0",
        spec_path="/api/v1/openapi.json",
        docs_path=None,  # its page would load scripts from elsewhere
    )
    app.config.update(
        SECRET_KEY=kept_secret(settings.folder / "session.key"),
        MAX_CONTENT_LENGTH=MAX_UPLOAD,
        MAX_FORM_MEMORY_SIZE=2 * 2**20,
        SESSION_COOKIE_NAME="lading",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=_secure(settings),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
        WTF_CSRF_TIME_LIMIT=None,
        OPENAPI_VERSION="3.1.0",
    )
    return app


def _secure(settings: Settings) -> bool:
    if settings.secure_cookies is not None:
        return settings.secure_cookies
    # Browsers keep no Secure cookie from a plain address, loopback's included.
    return settings.trusted_proxies > 0 or settings.host not in ("127.0.0.1", "localhost", "::1")
