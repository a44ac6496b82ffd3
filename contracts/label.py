"""Text that people read on the chain: makes, models, numbers, names of sites and operators. Pure.

The contracts count bytes only. What two people could take for the same label, or cannot see, is refused here.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from contracts.fault import FieldError
from contracts.terms import LABEL_MAX

# Control, format, private, surrogate, unassigned characters; separators other than the plain space.
_CATEGORIES: Final = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
# Shown as nothing although their category is a letter's, a mark's or a symbol's (Unicode: Default_Ignorable).
_BLANK: Final = frozenset(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10))
)


def check_label(field: str, text: str, *, may_be_empty: bool = False, kind: type[FieldError] = FieldError) -> None:
    """Refuse what cannot stand as a label.

    Raises:
        FieldError: or the `kind` of it that is asked for; it names the field.
    """
    if not isinstance(text, str):
        raise kind(field, "must be text")
    if not text and may_be_empty:
        return
    if not text.strip():
        raise kind(field, "may not be empty")
    if any(map(_hidden, text)):
        raise kind(field, "may not hold control or invisible characters")
    if text != text.strip() or text != unicodedata.normalize("NFC", text):
        raise kind(field, "may not begin or end with a space, and is written with composed characters (NFC)")
    if (size := len(text.encode("utf-8"))) > LABEL_MAX:
        raise kind(field, f"may have at most {LABEL_MAX} bytes in UTF-8, this has {size}")


def _hidden(character: str) -> bool:
    category, code = unicodedata.category(character), ord(character)
    odd_space = category == "Zs" and character != " "
    return category in _CATEGORIES or odd_space or code in _BLANK or 0xE0000 <= code < 0xE1000
