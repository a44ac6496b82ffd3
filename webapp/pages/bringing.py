"""Bringing a key along: a key file of another wallet becomes a built-in account here."""

import json
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_wtf import FlaskForm  # type: ignore[import-untyped]
from werkzeug.wrappers import Response
from wtforms import FileField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from webapp.access import check_rate, count_failure, sign_in
from webapp.errors import InvalidInput, Refused, WrongPassphrase
from webapp.keystore import MIN_PASSPHRASE, check_keystore, check_passphrase
from webapp.models import User
from webapp.people import check_name, create_account
from webapp.services import services

bp = Blueprint("bringing", __name__, url_prefix="/sign-up/key-file")
MAX_BYTES = 16_384


class KeyFileForm(FlaskForm):  # type: ignore[misc]
    """A key file, what opens it, and what shall open it from now on."""

    name = StringField("Name", validators=[InputRequired("Choose a name.")])
    keystore = FileField("Key file", validators=[InputRequired("Choose the file.")])
    old = PasswordField("Passphrase of the file", validators=[InputRequired("Enter it."), Length(max=256)])
    passphrase = PasswordField("Passphrase here", validators=[InputRequired("Choose one; it may be the same.")])
    again = PasswordField("Passphrase here, again", validators=[EqualTo("passphrase", "These two are not the same.")])


@bp.get("")
def show() -> str:
    """Ask for the file."""
    return _page(KeyFileForm(formdata=None))


def _page(form: KeyFileForm, problem: str = "") -> str:
    return render_template("auth/key_file.html", form=form, problem=problem, least=MIN_PASSPHRASE)


@bp.post("")
def bring() -> Response | tuple[str, int]:
    """Open the file, encrypt its key anew, and sign in; the file itself is not kept."""
    form, problem = KeyFileForm(), ""
    if form.validate_on_submit():
        try:
            sign_in(_account(form))
            return redirect(url_for("account.show", new=1), 303)
        except InvalidInput as error:
            form[error.field].errors = [str(error)]
        except Refused as error:
            problem = str(error)
    return _page(form, problem), 400


def _account(form: KeyFileForm) -> User:
    shop, subject = services(), f"sign-up:{request.remote_addr}"
    check_rate(subject)
    name, passphrase = check_name(form.name.data or ""), check_passphrase(form.passphrase.data or "")
    keystore = check_keystore(_read(form.keystore.data))
    count_failure(subject)
    try:
        key = shop.unlocker.unlock(keystore, form.old.data or "")
    except WrongPassphrase as error:
        raise InvalidInput("old", "That passphrase does not open this file.") from error
    return create_account(shop.database, shop.unlocker, name=name, passphrase=passphrase, key=key)


def _read(file: Any) -> Any:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise InvalidInput("keystore", "This is no key file: it is too large.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("keystore", "This is no key file: choose the JSON file that a wallet exported.") from error
