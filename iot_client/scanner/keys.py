"""What a USB hand scanner types, key by key, as a US keyboard would; pure.

The numbers are those of the kernel's `input-event-codes.h`; an event's value is 0 up, 1 down, 2 repeated.
"""

from iot_client.scanner.lines import MAX_LINE

EV_SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
DOWN, UP = 1, 0
ENTER = {28, 96}
SHIFT = {42, 54}

# From one key code on, the keys beside each other: what they type alone, and with shift.
ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (55, "*", "*"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
)
PLAIN = {first + place: key for first, keys, _ in ROWS for place, key in enumerate(keys)}
SHIFTED = {first + place: key for first, _, keys in ROWS for place, key in enumerate(keys)}


class Typist:
    """Puts keys together to lines."""

    def __init__(self) -> None:
        self._line = ""
        self._shifts: set[int] = set()
        self._lost = False

    def take(self, kind: int, code: int, value: int) -> str | None:
        """One event; the line if it ends one. A line of which the kernel dropped keys comes back empty."""
        if kind == EV_SYN and code == SYN_DROPPED:
            self._lost = True
        if kind != EV_KEY:
            return None
        if code in SHIFT:
            (self._shifts.discard if value == UP else self._shifts.add)(code)
        elif value == DOWN:
            return self._press(code)
        return None

    def _press(self, code: int) -> str | None:
        if code not in ENTER:
            typed = (SHIFTED if self._shifts else PLAIN).get(code, "")
            self._line = (self._line + typed)[:MAX_LINE]
            return None
        line, lost = self._line, self._lost
        self._line, self._lost = "", False
        if lost:
            self._shifts.clear()
        return "" if lost else line or None
