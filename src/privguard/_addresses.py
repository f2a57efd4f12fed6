"""Addresses and queries in what servers log of a request: shortened, or left out.

An IPv4 address keeps its first 24 bits, an IPv6 address its first 48; one that stands for an IPv4 address is one
(RFC 4291 §2.5.5.2). Of a URL, the query goes.
"""

from __future__ import annotations

import ipaddress
import re

# Not in a product's version (Chrome/126.0.0.0), nor in a longer number or name.
_IPV4 = re.compile(r"(?<![\w./-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w-]|\.[0-9])")
_IPV6 = re.compile(
    r"(?<![\w:./])[0-9A-Fa-f]{0,4}:(?=[0-9A-Fa-f:]*:)[0-9A-Fa-f:]+(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?:%[\w.-]+)?"
    r"(?![\w:]|\.[0-9])"
)
_QUERY = re.compile(r"\?[^\s\"'<>\x1b]*")

NO_ADDRESS = "-"  # as the Common Log Format has it for what is not known


def shortened(address: str, mode: str) -> str:
    """Return an *address* as the setting ``logs.ip`` wants it, or the text itself where that is none.

    >>> shortened("192.0.2.77", "truncate"), shortened("2001:db8:1:2::3", "truncate"), shortened("::1", "none")
    ('192.0.2.0', '2001:db8:1::', '-')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if mode == "full":
        return address
    if mode == "none":
        return NO_ADDRESS
    mapped = getattr(found, "ipv4_mapped", None) or found
    bits = 24 if mapped.version == 4 else 48
    return str(ipaddress.ip_network((mapped, bits), strict=False).network_address)


def without_addresses(text: str, mode: str) -> str:
    """Return *text* with every address in it shortened.

    >>> without_addresses("[2001:db8::1]:443, 192.0.2.77:80 Chrome/126.0.0.0", "truncate")
    '[2001:db8::]:443, 192.0.2.0:80 Chrome/126.0.0.0'
    """
    if ":" in text:  # first: one may end as an IPv4 address
        text = _IPV6.sub(lambda match: shortened(match[0], mode), text)
    if "." in text:
        text = _IPV4.sub(lambda match: shortened(match[0], mode), text)
    return text


def without_queries(text: str) -> str:
    """Return *text* without the query of any URL in it.

    >>> without_queries('"GET /find?name=Ann HTTP/1.1" 200')
    '"GET /find HTTP/1.1" 200'
    """
    return _QUERY.sub("", text) if "?" in text else text
