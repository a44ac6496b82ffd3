"""Many listings at once: a file, a preview that marks each bad line, one passphrase."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import TextAreaField

from webapp.access import only, the_user
from webapp.batch import COLUMNS, MAX_LINES, NEEDED, PER_TRANSACTION, Batch, read_csv
from webapp.catalogue import open_sites
from webapp.errors import InvalidInput, Refused, WebError
from webapp.forms.fields import ActionForm
from webapp.pages.sell import SELLERS
from webapp.selling import plans_of
from webapp.services import services
from webapp.signing import sign_and_send

bp = Blueprint("batch", __name__, url_prefix="/sell/batch")


class BatchForm(ActionForm):
    """The file's text, once it was looked at."""

    content = TextAreaField("File")


@bp.get("")
@only(*SELLERS)
def show() -> str:
    """Ask for a file."""
    return _page(BatchForm(formdata=None))


def _page(form: BatchForm, batch: Batch | None = None, problem: str = "") -> str:
    sites = open_sites(services().database, services().chain.chain_id)
    return render_template(
        "sell/batch.html",
        form=form,
        batch=batch,
        problem=problem,
        sites=sites,
        columns=COLUMNS,
        optional=[name for name in COLUMNS if name not in NEEDED],
        most=MAX_LINES,
        per=PER_TRANSACTION,
    )


@bp.get("/example.csv")
@only(*SELLERS)
def example() -> Response:
    """Hand out a file to begin with."""
    sites = open_sites(services().database, services().chain.chain_id)
    site = sites[0][0].id if sites else 1
    text = f"make,model,number,year,price,site,refund_days\nNimbus,alpha,4AA6,2019,50,{site},0\n"
    text += f'Nimbus,"beta, long",4AA7,2020,72.5,{site},30\n'
    answer = Response(text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="lading-listings.csv"'
    return answer


def _sites() -> set[int]:
    return {site.id for site, _operator in open_sites(services().database, services().chain.chain_id)}


@bp.post("/preview")
@only(*SELLERS)
def preview() -> str | tuple[str, int]:
    """Show every line, the bad ones marked; nothing is sent."""
    form = BatchForm(formdata=None)
    file = request.files.get("file")
    content = file.read() if file else b""
    try:
        batch = read_csv(content, _sites())
    except InvalidInput as error:
        return _page(form, problem=str(error)), 400
    form.content.data = content.decode("utf-8-sig")
    return _page(form, batch)


@bp.post("")
@only(*SELLERS)
def send() -> BaseResponse | tuple[str, int]:
    """List every good line, many a transaction, all signed with one passphrase."""
    form, user = BatchForm(), the_user()
    known = services().outbox.find(user.id, form.key)
    if known:
        return redirect(url_for("transactions.mine"), 303)
    batch = None
    try:
        batch = read_csv((form.content.data or "").encode(), _sites())
        if not form.validate_on_submit():
            return _page(form, batch), 400
        if not batch.good:
            raise Refused("No line of this file can be listed. Nothing was sent.")
        sign_and_send(user, form.phrase, form.key, plans_of(services(), user.address, batch.good))
    except WebError as error:
        return _page(form, batch, str(error)), 400 if isinstance(error, Refused) else 503
    return redirect(url_for("transactions.mine"), 303)
