"""`lading-cloud`: the IoT cloud's command."""

import os
import sqlite3
import sys

from iot_cloud.arguments import parse
from iot_cloud.errors import CloudError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or failed with a reason on stderr, 2 wrong usage."""
    options = parse(arguments)
    os.umask(0o077)  # folders 0700, files 0600, also those that the broker makes
    try:
        options.run(options)
    except (CloudError, sqlite3.Error) as error:
        print(f"lading-cloud: {error}", file=sys.stderr)
        return 1
    except OSError as fault:  # a full disk, a folder that is not ours
        print(f"lading-cloud: {fault.filename or 'the system'}: {fault.strerror or fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
