"""A policy as the configuration of Apache's HTTP server in front of the app; tested with httpd 2.4.

What Apache's syntax can say: in double quotes a backslash hides a quote or another backslash; ``${NAME}`` is replaced
when the configuration is read, and a "%" in a header's value begins a format.
"""

from __future__ import annotations

from collections.abc import Iterator

from ._front import Field, Front, below, pattern_of

_TRUNCATED = r"""
    # /24 of an address, /48 of one in IPv6
    SetEnvIf Remote_Addr "^" privguard_address=-
    SetEnvIf Remote_Addr "^::" privguard_address=::
    SetEnvIf Remote_Addr "^([0-9a-f]+)::" privguard_address=$1::
    SetEnvIf Remote_Addr "^([0-9a-f]+:[0-9a-f]+)::" privguard_address=$1::
    SetEnvIf Remote_Addr "^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" privguard_address=$1::
    SetEnvIf Remote_Addr "^(?:::ffff:)?([0-9]+\.[0-9]+\.[0-9]+)\.[0-9]+$" privguard_address=$1.0"""
_REFERER = r"""
    # the page that a visitor comes from, without its query
    SetEnvIf Referer "^([^?#]+)" privguard_referer=$1"""
_FILES = r"""
    # a file that is there is answered from here, but none that is hidden
    DocumentRoot "{folder}"
    <Directory "{folder}">
        Require all granted
        Options None
        AllowOverride None
    </Directory>
    RewriteEngine On
    RewriteCond "%{{REQUEST_URI}}" "!/\."
    RewriteCond "%{{DOCUMENT_ROOT}}%{{REQUEST_URI}}" -f
    RewriteRule "^" "-" [E=no-proxy:1]"""


def configuration(front: Front) -> str:
    """Return the configuration of a virtual host."""
    return "\n".join(_lines(front))


def _lines(front: Front) -> Iterator[str]:
    modules = "headers proxy proxy_http rewrite setenvif"
    yield "# From privguard. Save it as /etc/apache2/sites-available/site.conf; make ServerName and ProxyPass yours."
    yield f"# Then type: a2enmod {modules} && a2ensite site && apachectl configtest && apachectl graceful"
    yield "<VirtualHost *:80>"
    yield "    ServerName www.example.com"
    yield "    ProxyPreserveHost On"
    yield '    ProxyPass "/" "http://127.0.0.1:8000/"'
    yield '    ProxyPassReverse "/" "http://127.0.0.1:8000/"'
    yield ""
    yield "    # what the app marks is noted for the log, and the mark is taken out"
    yield f"    Header note {front.header} privguard"
    yield f"    Header always note {front.header} privguard_always"
    yield f"    Header unset {front.header}"
    yield f"    Header always unset {front.header}"
    if front.ip == "truncate":
        yield _TRUNCATED
    if not front.query:
        yield _REFERER
    yield ""
    yield "    # what is not logged: the quiet paths, and what the app marks"
    yield f'    LogFormat "{_log_format(front)}" privguard'
    yield f'    CustomLog "${{APACHE_LOG_DIR}}/access.log" privguard "expr={_wanted(front)}"'
    yield "    # this one names requests and addresses, and takes no condition: let it hold what is critical alone"
    yield '    ErrorLog "${APACHE_LOG_DIR}/error.log"'
    yield "    LogLevel crit"
    if front.ip != "full":
        yield '    ErrorLogFormat "[%{u}t] [%-m:%l] [pid %P:tid %T] %7F: %E: %M"'
    yield ""
    yield "    # what Apache answers by itself: no cookie, and headers where the app has set none"
    missing = f"-z resp('{front.fields[0].name}')"  # the policy's own, which the app sends with everything
    yield f'    Header unset Set-Cookie "expr={missing}"'
    yield f'    Header always unset Set-Cookie "expr={missing}"'
    for field in front.fields:
        yield from _field(field)
    if front.folder:
        yield _FILES.format(folder=front.folder)
    yield "</VirtualHost>"


def _log_format(front: Front) -> str:
    address = {"full": "%h", "truncate": "%{privguard_address}e", "none": "-"}[front.ip]
    request = "%r" if front.query else "%m %U %H"
    referer = "%{Referer}i" if front.query else "%{privguard_referer}e"
    return rf"{address} %l %u %t \"{request}\" %>s %O \"{referer}\" \"%{{User-Agent}}i\""


def _wanted(front: Front) -> str:
    conditions = ["%{note:privguard} != 'off'", "%{note:privguard_always} != 'off'"]
    if front.quiet_paths:
        quiet = "|".join(map(pattern_of, front.quiet_paths))
        conditions.append(f"%{{REQUEST_URI}} !~ m#^(?:{quiet})\\z#")
    return " && ".join(conditions)


def _field(field: Field) -> Iterator[str]:
    """The first that fits sets the field, and the next ones find it there."""
    missing = f"-z resp('{field.name}')"
    for prefix, value in field.below.items():
        yield _set(field.name, value, f"{missing} && %{{REQUEST_URI}} =~ m#{below(prefix)}#")
    if field.everywhere:
        yield _set(field.name, field.everywhere, missing)


def _set(name: str, value: str, condition: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'    Header always set {name} "{escaped}" "expr={condition}"'
