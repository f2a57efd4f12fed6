"""A policy as the configuration of nginx in front of the app; tested with nginx 1.22.

What nginx's syntax can say: in double quotes a backslash hides a quote or another backslash, nothing hides a "$", and
no word may be longer than 4,096 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ._front import Field, Front, below, pattern_of

_PIECE = 3000  # characters of a value in one word

# nginx writes addresses in the shortest form (RFC 5952); zeros may be left out early in one.
_TRUNCATED = r"""
# /24 of an address, /48 of one in IPv6
map $remote_addr $privguard_address {
    "~^(?:::ffff:)?(?<privguard_net>\d+\.\d+\.\d+)\.\d+$" "$privguard_net.0";
    "~^(?<privguard_net>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" "$privguard_net::";
    "~^(?<privguard_net>[0-9a-f]+:[0-9a-f]+)::" "$privguard_net::";
    "~^(?<privguard_net>[0-9a-f]+)::" "$privguard_net::";
    "~^::" "::";
    default "-";
}"""
_REFERER = r"""
# the page that a visitor comes from, without its query
map $http_referer $privguard_referer {
    "~^(?<privguard_page>[^?#]+)" $privguard_page;
    default "-";
}"""
_FILES = """
    # a file that is there is answered from here, but none that is hidden
    root "{folder}";
    location / {{
        try_files $uri @privguard_app;
    }}
    location ~ "/\\." {{
        try_files /.privguard-no-such-file @privguard_app;
    }}
    location @privguard_app {{"""


def configuration(front: Front) -> str:
    """Return the configuration: maps, and a server that uses them."""
    return "\n".join([*_maps(front), *_server(front)])


def _maps(front: Front) -> Iterator[str]:
    yield "# From privguard. Save it as /etc/nginx/conf.d/site.conf and make listen, server_name and proxy_pass yours."
    yield "# Then type: nginx -t && nginx -s reload. In another server { } than this, its lines have to stand, too."
    yield ""
    yield "# what is not logged: the quiet paths, and what the app marks"
    yield "map $privguard_path $privguard_wanted {"
    yield from (f'    "~^{pattern_of(path)}\\z" 0;' for path in front.quiet_paths)
    yield "    default 1;"
    yield "}"
    yield f"map $upstream_http_{_variable(front.header)} $privguard_log {{"
    yield "    off 0;"
    yield "    default $privguard_wanted;"
    yield "}"
    if front.ip == "truncate":
        yield _TRUNCATED
    if not front.query:
        yield _REFERER
    yield ""
    yield from _log_format(front)
    yield ""
    yield "# headers of what nginx answers by itself: added where the app has set none"
    for field in front.fields:
        yield from _field_maps(field)


def _log_format(front: Front) -> Iterator[str]:
    address = {"full": "$remote_addr", "truncate": "$privguard_address", "none": "-"}[front.ip]
    request = "$request" if front.query else "$request_method $privguard_path $server_protocol"
    referer = "$http_referer" if front.query else "$privguard_referer"
    yield f"log_format privguard '{address} - $remote_user [$time_local] \"{request}\" '"
    yield f'                     \'$status $body_bytes_sent "{referer}" "$http_user_agent"\';'


def _field_maps(field: Field) -> Iterator[str]:
    name = _variable(field.name)
    usual, lines = _text(f"{name}_0", field.everywhere)
    yield from lines
    if field.below:
        cases = []
        for number, (prefix, value) in enumerate(field.below.items(), 1):
            text, lines = _text(f"{name}_{number}", value)
            yield from lines
            cases.append(f'    "~{below(prefix)}" "{text}";')
        yield f"map $privguard_path $privguard_for_{name} {{"
        yield from cases
        yield f'    default "{usual}";'
        yield "}"
        usual = f"$privguard_for_{name}"
    yield f"map $sent_http_{name} $privguard_{name} {{"
    yield f'    "" "{usual}";'
    yield '    default "";'
    yield "}"


def _text(name: str, text: str) -> tuple[str, list[str]]:
    """Return how to name *text* between quotes, and the lines that make it known by that name."""
    if len(text) <= _PIECE:
        return _escaped(text), []
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    names = [f"privguard_text_{name}_{number}" for number in range(len(pieces))]
    lines = [f'map "" ${one} {{\n    default "{_escaped(piece)}";\n}}' for one, piece in zip(names, pieces)]
    return "".join(f"${{{one}}}" for one in names), lines


def _server(front: Front) -> Iterator[str]:
    yield ""
    yield "server {"
    yield "    listen 80;"
    yield "    server_name www.example.com;"
    yield ""
    yield "    # the path as it was asked for: an error page or an index has another"
    yield '    if ($privguard_path = "") {'
    yield "        set $privguard_path $uri;"
    yield "    }"
    yield "    access_log /var/log/nginx/access.log privguard if=$privguard_log;"
    yield "    # this one names requests and addresses, and takes no condition: let it hold what is critical alone"
    yield "    error_log /var/log/nginx/error.log crit;"
    yield ""
    yield from (f"    add_header {one.name} $privguard_{_variable(one.name)} always;" for one in front.fields)
    yield "    # no cookie of nginx's own"
    yield "    userid off;"
    yield _FILES.format(folder=front.folder) if front.folder else "\n    location / {"
    yield "        proxy_pass http://127.0.0.1:8000;"
    yield "        proxy_set_header Host $host;"
    yield "        proxy_set_header X-Forwarded-For $remote_addr;"
    yield "        proxy_set_header X-Forwarded-Proto $scheme;"
    yield f"        proxy_hide_header {front.header};"
    yield "    }"
    yield "}"


def _variable(name: str) -> str:
    return name.lower().replace("-", "_")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
