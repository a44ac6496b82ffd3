"""How who asks looks, in a request; whose data was read by role is written down."""

from flask import Response, after_this_request, g

from webapp.access import current_user, private_read
from webapp.explorer.eyes import Eyes
from webapp.services import services
from webapp.viewers import Viewer, viewer_of


def viewer() -> Viewer:
    """Return how who asks looks."""
    if "viewer" not in g:
        g.viewer = viewer_of(services().database, services().chain.chain_id, current_user())
        after_this_request(_note)
    found: Viewer = g.viewer
    return found


def eyes() -> Eyes:
    """Return how who asks looks at the chain."""
    return Eyes.of(services(), viewer())


def _note(response: Response) -> Response:
    looks: Viewer = g.viewer
    for sale in sorted(looks.read):
        private_read(sale)
    return response
