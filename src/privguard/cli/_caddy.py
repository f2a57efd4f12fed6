"""A policy as the configuration of Caddy in front of the app; tested with Caddy 2.6.

What the Caddyfile can say: in double quotes a backslash hides a quote, and ``{name}`` is replaced for each request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ._front import Field, Front

_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_ADDRESS_HEADERS = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Cf-Connecting-Ip", "True-Client-Ip", "X-Client-Ip")
_FILES = """
    # a file that is there is answered from here, but none that is hidden, and without a cookie
    root * "{folder}"
    @privguard_file {{
        file
        not path */ */.*
    }}
    handle @privguard_file {{
        header -Set-Cookie
        file_server
    }}"""


def configuration(front: Front) -> str:
    """Return the configuration of a site."""
    return "\n".join(_lines(front))


def _lines(front: Front) -> Iterator[str]:
    yield "# From privguard. Save it as /etc/caddy/Caddyfile; make the address of the site and of reverse_proxy yours."
    yield "# Then type: caddy reload --config /etc/caddy/Caddyfile. Since Caddy 2.8, skip_log is called log_skip."
    yield "{"
    yield "    log {"
    yield "        # what Caddy says of failures names requests and addresses, and takes no condition"
    yield "        exclude http.log.error"
    yield "    }"
    yield "}"
    yield ":80 {"
    yield "    log {"
    yield "        output file /var/log/caddy/access.log"
    yield from _log_fields(front)
    yield "    }"
    if front.quiet_paths:
        yield "    # the quiet paths"
        yield f'    @privguard_quiet path_regexp "^(?:{"|".join(map(_pattern, front.quiet_paths))})\\z"'
        yield "    skip_log @privguard_quiet"
    yield ""
    yield "    # headers of what Caddy answers by itself: added where the app has set none"
    for field in front.fields:
        yield from _field(field)
    if front.folder:
        yield _FILES.format(folder=front.folder)
    yield ""
    yield "    handle {"
    yield "        reverse_proxy 127.0.0.1:8000 {"
    yield "            # what the app marks is not logged, and the mark is taken out"
    yield f"            header_down -{front.header}"
    yield f"            @privguard_told header {front.header} off"
    yield "            handle_response @privguard_told {"
    yield "                skip_log"
    yield "                copy_response"
    yield "            }"
    yield "        }"
    yield "    }"
    yield "}"


def _log_fields(front: Front) -> Iterator[str]:
    fields = []
    if front.ip == "truncate":
        for name in ("remote_ip", "client_ip"):
            fields += [f"request>{name} ip_mask {{", "    ipv4 24", "    ipv6 48", "}"]
    elif front.ip == "none":
        fields += ["request>remote_ip delete", "request>client_ip delete"]
    if front.ip != "full":
        fields += ["request>remote_port delete"]
        fields += [f"request>headers>{name} delete" for name in _ADDRESS_HEADERS]
    if not front.query:
        fields += ['request>uri regexp "[?].*" ""', 'request>headers>Referer regexp "[?].*" ""']
    if fields:
        yield "        format filter {"
        yield "            wrap json"
        yield "            fields {"
        yield from (f"                {one}" for one in fields)
        yield "            }"
        yield "        }"


def _field(field: Field) -> Iterator[str]:
    name = f"privguard_{field.name.lower().replace('-', '_')}"
    if not field.below:
        yield f'    header ?{field.name} "{_escaped(field.everywhere)}"'
        return
    yield f"    map {{http.request.uri.path}} {{{name}}} {{"
    yield from (
        f'        "~^{_pattern(prefix.rstrip("/"))}(?:/|\\z)" "{_escaped(v)}"' for prefix, v in field.below.items()
    )
    yield f'        default "{_escaped(field.everywhere)}"'
    yield "    }"
    if field.everywhere:
        yield f'    header ?{field.name} "{{{name}}}"'
    else:
        yield f'    @{name} not vars {{{name}}} ""'
        yield f'    header @{name} ?{field.name} "{{{name}}}"'


def _pattern(path: str) -> str:
    """Return a regular expression (RE2) of characters that matches *path*, with slashes that may be doubled."""
    return "".join(map(_character, path))


def _character(char: str) -> str:
    if char == "/":
        return "/+"
    return char if _PLAIN.fullmatch(char) or ord(char) > 255 else f"\\x{ord(char):02x}"


def _escaped(text: str) -> str:
    return text.replace('"', '\\"')
