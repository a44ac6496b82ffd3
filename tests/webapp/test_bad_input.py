"""Every field's bad input gets words beside the field; nothing is sent and what was typed is kept."""

import re
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_selling_and_buying import LISTING

from webapp.batch import COLUMNS, NEEDED, read_csv
from webapp.errors import InvalidInput
from webapp.models import Transaction

BAD = [
    ("make", "", "Enter the make"),
    ("make", "   ", "Enter the make"),
    ("make", "x" * 65, "at most 64 bytes"),
    ("make", "é" * 33, "at most 64 bytes"),
    ("make", "a\x07b", "control"),
    ("make", "a\u202eb", "control or invisible"),
    ("model", "", "Enter the model"),
    ("model", "x" * 10_000, "at most 64 bytes"),
    ("number", "n" * 65, "at most 64 bytes"),
    ("number", "4\x00A", "control"),
    ("year", "", "Enter the year"),
    ("year", "0", "four digits"),
    ("year", "-2019", "four digits"),
    ("year", "20190", "four digits"),
    ("year", "\uff12\uff10\uff11\uff19", "four digits"),
    ("price", "", "Enter the price"),
    ("price", "0", "more than 0"),
    ("price", "-1", "amount of ether"),
    ("price", "9" * 78, "amount of ether"),
    ("price", "9" * 30, "more than 0 and less"),
    ("price", "1e3", "amount of ether"),
    ("price", "1,5", "amount of ether"),
    ("price", "0.1234567890123456789", "amount of ether"),
    ("price", "NaN", "amount of ether"),
    ("site", "0", "Not a valid choice"),
    ("site", "999", "Not a valid choice"),
    ("site", "1; DROP", "Not a valid choice"),
    ("settlement", "5000", "Not a valid choice"),
    ("passphrase", "", "Enter the passphrase"),
    ("passphrase", "wrong wrong wrong", "does not open this account"),
]


def test_every_field_s_bad_input_is_answered_in_words(world, browser):
    """One bad field after the other; the others' values stay, no transaction is made."""
    seller = browser("seller")
    page = seller.page("/sell/new")
    for field, value, words in BAD:
        if field == "passphrase" and value:
            continue
        data = {**seller.tokens(page), **LISTING, field: value}
        answer = seller.client.post("/sell/new", data=data)
        assert answer.status_code == 400, (field, value)
        assert words in answer.text, (field, value, re.findall(r'class="wrong"[^>]*>([^<]+)', answer.text))
        kept = "alpha" if field == "make" else "Nimbus"
        assert kept in answer.text
        assert "correct horse" not in answer.text
    with world.parts.database.read() as session:
        assert session.query(Transaction).count() == 0


def test_a_wrong_passphrase_costs_time_and_not_the_account(world, browser):
    """Nothing is sent; after ten tries the account waits, and says so."""
    seller = browser("seller")
    for _ in range(world.parts.settings.sign_in_tries):
        answer = seller.post("/sell/new", {**LISTING, "passphrase": "wrong wrong wrong"})
        assert "does not open this account" in answer.text
        assert "What you typed is kept" in answer.text
    assert "Too many failed tries" in seller.post("/sell/new", LISTING).text


def test_a_form_without_its_token_is_refused(world, browser):
    """CSRF: a post from elsewhere changes nothing."""
    answer = browser("seller").client.post("/sell/new", data=LISTING)
    assert answer.status_code == 400
    assert "Nothing was sent" in answer.text


CELLS = st.text(st.sampled_from('a1,;"\r\n\t =é\u202e\0'), max_size=60)
CSV = "make,model,number,year,price,site,refund_days\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "missing"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a\x00b", "not text"),
        (b"make,model\nx,y\n", "missing: year"),
        ((CSV.replace("make", "mark")).encode(), "missing: make"),
        ((CSV.strip() + ",remarks\n").encode(), "unknown: remarks"),
        (CSV.encode(), "no goods"),
        ((CSV + "a,b,c,2019,1,1,0\n" * 1001).encode(), "1000 lines"),
        (b"x" * (2**20 + 1), "larger than 1 MB"),
        (CSV.replace("site", "make").encode(), "missing: site"),
        (("make," + CSV + "a,b,c,d,2019,1,1,0\n").encode(), "twice: make"),
        ((CSV + '"' + "x" * 200_000).encode(), "never ends"),
    ],
)
def test_a_file_that_is_none_is_refused(content, words):
    """Wrong columns, no text, too much: the reason, and nothing listed."""
    with pytest.raises(InvalidInput, match=re.escape(words)):
        read_csv(content, {1})


@given(st.one_of(st.binary(max_size=300), CELLS.map(lambda text: (CSV + text).encode())))
def test_any_file_is_read_or_refused(content):
    """Whatever bytes: a preview with a listing or a complaint in each line, or one reason for the whole file."""
    try:
        batch = read_csv(content, {1})
    except InvalidInput as error:
        assert str(error).endswith(".")  # noqa: PT017
    else:
        assert all((line.listing is None) == bool(line.problem) for line in batch.lines)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_system_s_line_ends_are_line_ends(end):
    """Lines are counted as the person's own program shows them; a line end inside quotes is part of a cell."""
    text = (CSV + "Nimbus,alpha,1,2019,1,1,0\n" + "Nimbus,alpha,2,19,1,1,0\n").replace("\n", end)
    assert [(line.number, bool(line.problem)) for line in read_csv(text.encode(), {1}).lines] == [(2, False), (3, True)]
    assert "control" in read_csv((CSV + f'"Nim{end}bus",a,1,2019,1,1,0').encode(), {1}).lines[0].problem


def test_lines_are_judged_one_by_one():
    """BOM, semicolons, quotes, formulas and mixed line ends are read; a bad line names its field."""
    text = (
        "\ufeffMake;Model;Number;Year;Price;Site;Refund days\r\n"
        '"Nim;bus";"al ""pha""";4AA6;2019;50;1;0\n'
        "=cmd();beta;;2020;0.5;1;30\r\n"
        "Nimbus;gamma;;20;1;1;0\r"
        "Nimbus;delta;;2020;-1;1;0\n"
        "Nimbus;epsilon;;2020;1;7;0\n"
        "Nimbus;zeta;;2020;1;1;400\n"
        "Nimbus;eta;;2020;1;1;0;extra\n"
        "\n"
        "Nimbus;theta;4AA6;2019;1;1;0\n"
        "Nimbus;theta;4AA6;2019;1;1;0\n"
    )
    batch = read_csv(text.encode(), {1})
    problems = [line.problem for line in batch.lines]
    assert [bool(problem) for problem in problems] == [False, False, True, True, True, True, True, False, False]
    assert (batch.good[0].make, batch.good[0].model) == ("Nim;bus", 'al "pha"')
    assert batch.good[1].make == "=cmd()"
    assert [one.edition for one in batch.good[-2:]] == [0, 1]
    for words, problem in zip(("year", "ether", "site", "window", "more cells"), problems[2:7], strict=True):
        assert words in problem


def test_a_batch_is_listed_with_one_passphrase(world, browser):
    """A preview that sends nothing, then all good lines at once; the bad one stays out."""
    seller = browser("seller")
    text = CSV + "".join(f"Nimbus,alpha,{n},2019,1,1,0\n" for n in range(60)) + "Nimbus,,x,2019,1,1,0\n"
    page = seller.page("/sell/batch")
    optional = [name for name in COLUMNS if name not in NEEDED]
    assert f"<code>{'</code> and <code>'.join(optional[-2:])}</code> may be left out" in page
    upload = {**seller.tokens(page), "file": (BytesIO(text.encode()), "goods.csv")}
    seen = seller.client.post("/sell/batch/preview", data=upload, content_type="multipart/form-data")
    assert "60 of 61 lines can be listed" in seen.text
    form = {**seller.tokens(seen.text), "content": text, "passphrase": LISTING["passphrase"]}
    assert seller.client.post("/sell/batch", data=form).status_code == 303
    assert seller.client.post("/sell/batch", data=form).status_code == 303
    world.settle()
    assert "60 for sale" in browser().page("/")
    with world.parts.database.read() as session:
        assert session.query(Transaction).count() == 2


def test_strange_queries_are_harmless(world, browser):
    """What makes no sense counts as not given."""
    someone = browser()
    for path in ("/?page=99999999999&site=x&sort='&q=%00", "/?q=%25%25%25_&page=-1", "/explorer?q=0x12"):
        someone.page(path)


def test_what_is_not_there_is_said_so(world, browser):
    """A page of ours, status 404."""
    someone = browser("buyer")
    for path in (
        "/sales/1/0x00",
        "/sales/99999999999999999999/x",
        "/transactions/999",
        "/transactions/99999999999999999999",
        "/explorer/block/x",
        "/receipts/1/0x0",
        "/nowhere",
    ):
        answer = someone.client.get(path)
        assert answer.status_code == 404, path
        assert "To the market" in answer.text


def test_an_upload_of_fifty_megabytes_is_refused(world, browser):
    """The limit holds before anything is kept."""
    seller = browser("seller")
    hidden = seller.tokens(seller.page("/sell/batch"))
    answer = seller.client.post(
        "/sell/batch/preview",
        data=b"x" * 50 * 2**20,
        content_type="multipart/form-data; boundary=x",
        headers={"X-CSRFToken": hidden["csrf_token"]},
    )
    assert answer.status_code == 413
    assert "too large" in answer.text
