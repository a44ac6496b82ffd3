"""What to do when something goes wrong with people or machines: each with its steps and where to take them."""

from flask import Blueprint, render_template

bp = Blueprint("help", __name__, url_prefix="/help")


@bp.get("")
def show() -> str:
    """Show the steps."""
    return render_template("help/help.html")
