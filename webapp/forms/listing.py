"""The seller's form: every field checked, each complaint beside its field."""

import re
import unicodedata
from typing import Any

from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, ValidationError

from contracts.errors import ListingError
from contracts.factory import Listing
from webapp.errors import InvalidInput
from webapp.forms.fields import ActionForm
from webapp.money import parse_eth

DAY_S = 86_400
SETTLEMENTS = (
    ("0", "Instant: paid at once, no refund"),
    ("7", "Escrow: paid at pickup, refundable after 7 days"),
    ("30", "Escrow: paid at pickup, refundable after 30 days"),
    ("90", "Escrow: paid at pickup, refundable after 90 days"),
)
_YEAR = re.compile(r"[1-9]\d{3}")


def clean(text: str | None) -> str:
    """Return the text composed, without blanks around it."""
    return unicodedata.normalize("NFC", text or "").strip()


class ListingForm(ActionForm):
    """One item for sale."""

    make = StringField("Make", filters=[clean], validators=[DataRequired("Enter the make.")])
    model = StringField("Model", filters=[clean], validators=[DataRequired("Enter the model.")])
    number = StringField("Serial number", filters=[clean], description="May stay empty.")
    year = StringField("Year", filters=[clean], validators=[DataRequired("Enter the year.")])
    price = StringField("Price", filters=[clean], validators=[DataRequired("Enter the price.")])
    site = SelectField("Collected at", validate_choice=True)
    settlement = SelectField(
        "Settlement", choices=[SelectChoice(value, label) for value, label in SETTLEMENTS], default="0"
    )

    def validate_year(self, field: Any) -> None:
        """A year of manufacture has four digits."""
        if not _YEAR.fullmatch(field.data):
            raise ValidationError("Write the year with four digits, such as 2019.")

    def validate_price(self, field: Any) -> None:
        """An exact amount of ether within what the contract can hold."""
        check_field(field, "price")

    def validate_make(self, field: Any) -> None:
        """A label as the contract takes it."""
        check_field(field, "make")

    def validate_model(self, field: Any) -> None:
        """A label as the contract takes it."""
        check_field(field, "model")

    def validate_number(self, field: Any) -> None:
        """A label as the contract takes it, or none."""
        check_field(field, "number")

    def listing(self, edition: int = 0) -> Listing:
        """Return what was entered, once `validate_on_submit` has passed."""
        return Listing(
            make=self.make.data or "",
            model=self.model.data or "",
            number=self.number.data or "",
            year=int(self.year.data or 0),
            price_wei=parse_eth(self.price.data or ""),
            window_s=int(self.settlement.data) * DAY_S,
            site=int(self.site.data),
            edition=edition,
        )


def check_field(field: Any, name: str) -> None:
    """Let the contract's own rules judge one field.

    Raises:
        ValidationError: with their words.
    """
    harmless: dict[str, Any] = {"make": "x", "model": "x", "number": "", "year": 2000, "price_wei": 1}
    try:
        if name == "price":
            harmless["price_wei"] = parse_eth(field.data)
        else:
            harmless[name] = field.data
        Listing(**harmless, window_s=0, site=1)
    except InvalidInput as error:
        raise ValidationError(str(error)) from error
    except ListingError as error:
        raise ValidationError(complaint(error)) from error


def complaint(error: ListingError) -> str:
    """Return the words for a refused field."""
    if error.field == "price_wei":
        return "The price must be more than 0 and less than 79,228,162,514 ETH."
    problem = str(error).removeprefix(f"{error.field}: ")
    return f"{problem[:1].upper()}{problem[1:]}."
