"""`lading-web`: serves the pages, follows the chain, makes accounts, provisions devices."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from contracts.fault import LadingError
from webapp.commands import accounts, api, devices, index, running, up
from webapp.errors import WebError

GROUPS = (up, running, accounts, devices, index, api)


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    top = argparse.ArgumentParser(
        prog="lading-web", description="Lading's web application: selling, buying, collecting.", allow_abbrev=False
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for group in GROUPS:
        group.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or failed with a reason on stderr, 2 wrong usage."""
    chosen = parser().parse_args(arguments)
    os.umask(0o077)  # folders 0700, files 0600, the database too
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for chatty in ("httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        return int(chosen.run(chosen) or 0)
    except (WebError, LadingError) as error:
        sys.stderr.write(f"lading-web: {' '.join((str(error), *getattr(error, '__notes__', ())))}\n")
        return 1
    except OSError as fault:  # a full disk, a folder that is not ours
        sys.stderr.write(f"lading-web: {fault.filename or 'the system'}: {fault.strerror or fault}\n")
        return 1
    except SQLAlchemyError as fault:  # a full disk under the database, or none that answers
        sys.stderr.write(f"lading-web: the database: {str(getattr(fault, 'orig', fault)).strip()}\n")
        return 1
    except ValidationError as error:
        first = error.errors()[0]
        sys.stderr.write(f"lading-web: [web] {'.'.join(str(part) for part in first['loc'])}: {first['msg']}\n")
        return 1
    except ValueError as error:
        sys.stderr.write(f"lading-web: a setting or a file cannot be read: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
