"""A small picture of an address, so that two long numbers can be told apart at a glance. Pure."""

from hashlib import sha256

from markupsafe import Markup

CELLS = 5


def identicon(address: str) -> Markup:
    """Return an SVG: five by five, mirrored, in one hue that the address decides."""
    digest = sha256(address.lower().encode()).digest()
    hue = int.from_bytes(digest[:2], "big") % 360
    squares = [
        f"M{column} {row}h1v1h-1z"
        for row in range(CELLS)
        for column in range(CELLS)
        if digest[2 + row * 3 + min(column, CELLS - 1 - column)] % 2
    ]
    return Markup(  # noqa: S704  # all of it is numbers of ours
        f'<svg class="identicon" viewBox="0 0 5 5" aria-hidden="true" shape-rendering="crispEdges">'
        f'<rect width="5" height="5" fill="hsl({hue} 45% 90%)"/>'
        f'<path fill="hsl({hue} 55% 38%)" d="{"".join(squares)}"/></svg>'
    )
