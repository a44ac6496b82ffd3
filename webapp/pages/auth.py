"""Signing in, signing up, signing out."""

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm  # type: ignore[import-untyped]
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, ValidationError

from webapp import people
from webapp.access import back_to, check_rate, count_failure, current_user, sign_out_everywhere
from webapp.access import sign_in as begin_session
from webapp.errors import InvalidInput, Refused, WrongPassphrase
from webapp.keystore import MIN_PASSPHRASE, check_passphrase
from webapp.models import User
from webapp.services import services

bp = Blueprint("auth", __name__)


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name and passphrase."""

    name = StringField("Name", validators=[InputRequired("Enter your name."), Length(max=64)])
    passphrase = PasswordField("Passphrase", validators=[InputRequired("Enter your passphrase."), Length(max=256)])


class SignUpForm(FlaskForm):  # type: ignore[misc]
    """A new built-in account."""

    name = StringField("Name", validators=[InputRequired("Choose a name.")])
    passphrase = PasswordField("Passphrase", validators=[InputRequired("Choose a passphrase.")])
    again = PasswordField("Passphrase, again", validators=[EqualTo("passphrase", "These two are not the same.")])

    def validate_name(self, field: Any) -> None:
        """A name that nobody else could be taken for."""
        try:
            people.check_name(field.data)
        except InvalidInput as error:
            raise ValidationError(str(error)) from error

    def validate_passphrase(self, field: Any) -> None:
        """Long enough to protect a key."""
        try:
            check_passphrase(field.data)
        except InvalidInput as error:
            raise ValidationError(str(error)) from error


@bp.get("/sign-in")
def sign_in() -> Response | str:
    """Show the form; who is signed in goes on."""
    if current_user() is not None:
        return back_to(request.args.get("next"))
    return render_template("auth/sign_in.html", form=SignInForm())


@bp.post("/sign-in")
def do_sign_in() -> Response | tuple[str, int]:
    """Open the account's key once, as proof; a wrong passphrase costs time, not the account."""
    form = SignInForm()
    problem = ""
    if form.validate_on_submit():
        try:
            begin_session(_proven(form.name.data or "", form.passphrase.data or ""))
            return back_to(request.args.get("next"))
        except Refused as error:
            problem = str(error)
    return render_template("auth/sign_in.html", form=form, problem=problem), 400


def _proven(name: str, passphrase: str) -> User:
    shop = services()
    user = people.find_by_name(shop.database, name)
    # Tries count for the account, however its name was typed.
    subjects = (f"name:{user.name if user else people.as_known(name)[:64]}", f"address:{request.remote_addr}")
    check_rate(*subjects)
    try:
        if user is None or user.keystore is None:
            raise WrongPassphrase
        shop.unlocker.unlock(user.keystore, passphrase)
    except WrongPassphrase as error:
        count_failure(*subjects)
        raise Refused("Name or passphrase is not right.") from error
    return user


@bp.get("/sign-up")
def sign_up() -> str:
    """Show the form."""
    return render_template("auth/sign_up.html", form=SignUpForm(), least=MIN_PASSPHRASE)


@bp.post("/sign-up")
def do_sign_up() -> Response | tuple[str, int]:
    """Make an account and show its key file first."""
    form = SignUpForm()
    problem = ""
    subject = f"sign-up:{request.remote_addr}"
    if form.validate_on_submit():
        try:
            check_rate(subject)
            count_failure(subject)
            shop = services()
            user = people.create_account(
                shop.database, shop.unlocker, name=form.name.data or "", passphrase=form.passphrase.data or ""
            )
            begin_session(user)
            return redirect(url_for("account.show", new=1), 303)
        except InvalidInput as error:
            form[error.field].errors = [str(error)]
        except Refused as error:
            problem = str(error)
    return render_template("auth/sign_up.html", form=form, problem=problem, least=MIN_PASSPHRASE), 400


@bp.post("/sign-out")
def sign_out() -> Response:
    """End this person's sessions."""
    user = current_user()
    if user is not None:
        sign_out_everywhere(user)
    session.clear()
    g.user = None
    flash("You are signed out.", "done")
    return redirect(url_for("market.market"), 303)
