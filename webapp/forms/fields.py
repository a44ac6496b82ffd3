"""What every form shares: the passphrase, and the key that makes a form sent twice count once."""

import re
import secrets
from typing import Any

from flask_wtf import FlaskForm  # type: ignore[import-untyped]
from wtforms import HiddenField, PasswordField
from wtforms.validators import InputRequired, Length, ValidationError

_FORM_KEY = re.compile(r"[0-9a-f]{32}")


def new_form_key() -> str:
    """Return a fresh idempotency key."""
    return secrets.token_hex(16)


class OnceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is not typed
    """A form that counts once, however often it is sent."""

    form_key = HiddenField(default=new_form_key)

    @property
    def key(self) -> str:
        """What makes this form count once."""
        return self.form_key.data or ""

    def renew(self) -> None:
        """Count once more: what was sent with the old key is done with."""
        self.form_key.data = new_form_key()

    def validate_form_key(self, field: Any) -> None:
        """Refuse a key that this application did not make."""
        if not _FORM_KEY.fullmatch(field.data or ""):
            self.renew()
            raise ValidationError("This form was incomplete. Nothing was sent; send it again.")


class ActionForm(OnceForm):
    """One action, confirmed with the passphrase."""

    passphrase = PasswordField(
        "Passphrase",
        validators=[InputRequired("Enter the passphrase of your account."), Length(max=256)],
        render_kw={"autocomplete": "current-password"},
    )

    @property
    def phrase(self) -> str:
        """What was entered."""
        return self.passphrase.data or ""
