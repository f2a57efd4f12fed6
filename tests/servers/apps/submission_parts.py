"""What the sites for submissions share: the policies, by the first part of a path, and what careless sites do."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import resource

SMALL = {"memory_bytes": 1000, "body_bytes": 1 << 20, "seconds": 1, "bytes_per_second": 1 << 20}
POLICIES = {
    "refuse": {"action": "refuse", "paths": ["/refuse/kids/"]},
    "erase": {"action": "erase"},
    "mute": {"action": "mute"},
    "small": {"limits": SMALL},
    "unlooked": {"age_fields": [], "birthdate_fields": [], "flag_fields": []},
}
COOKIE = ("Set-Cookie", "visitor=1; Path=/")
SHOWN = 400  # bytes at either end of a body that the site logs

log = logging.getLogger("site.submissions")

if "SITE_FILE_BYTES" in os.environ:  # a disk that is full after so many
    limit = int(os.environ["SITE_FILE_BYTES"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def settings(name):
    return {"children": POLICIES[name]}


class Taken:
    """One submission as a careless site takes it: it logs all that it sees, and knows for ever who was here."""

    def __init__(self, token, target, told):
        log.warning("line begin:%s.", token)
        log.warning("asked for %s with %s", target, told)
        with open("seen.txt", "a") as seen:
            seen.write(f"{token}\n")
        self._token = token
        self._size = 0
        self._digest = hashlib.sha256()
        self._begin = self._end = b""

    def feed(self, chunk):
        self._size += len(chunk)
        self._digest.update(chunk)
        self._begin = (self._begin + chunk[:SHOWN])[:SHOWN]
        self._end = (self._end + chunk[-SHOWN:])[-SHOWN:]

    def finish(self, length, kind):
        """Return the answer's body: what was taken."""
        log.warning("read %s and %s", self._begin, self._end)
        log.warning("line end:%s.", self._token)
        told = {"size": self._size, "sha256": self._digest.hexdigest(), "length": length, "kind": kind}
        return json.dumps(told).encode()
