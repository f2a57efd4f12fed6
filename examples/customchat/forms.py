"""What visitors type: taken as it is, or turned down with a sentence that says what to change."""

import re
from urllib.parse import parse_qsl, urlsplit

from werkzeug import Request
from werkzeug.exceptions import BadRequest

# Control characters, those that turn the direction of what follows, and the mark of undecodable bytes.
ODD_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]")
LONGEST_NAME, LONGEST_TEXT, LONGEST_ADDRESS = 30, 500, 254  # characters


class SiteRequest(Request):
    """A request that may carry a small form and nothing larger."""

    max_content_length = 16 * 1024  # bytes: the longest text, percent-encoded, fits four times
    max_form_parts = 20

    def check_form(self) -> None:
        """Raise BadRequest for a form that is not UTF-8: werkzeug alone would keep its escapes as text."""
        if self.mimetype == "application/x-www-form-urlencoded":
            try:
                parse_qsl(self.get_data().decode(), errors="strict", max_num_fields=self.max_form_parts)
            except ValueError as error:
                raise BadRequest("What arrived was not a text that we can read. Please try again.") from error

    def typed(self, field: str, what: str, longest: int = LONGEST_NAME) -> str:
        """Return a required field, or raise BadRequest that calls it `what`."""
        value = self.typed_or_empty(field, what, longest)
        if not value:
            raise BadRequest(f"Something is missing: {what}. Please go back and type it in.")
        return value

    def typed_or_empty(self, field: str, what: str, longest: int = LONGEST_NAME) -> str:
        value = self.form.get(field, "").replace("\r\n", "\n").strip()
        if len(value) > longest:
            raise BadRequest(f"This is too long: {what}. We take {longest} characters at most.")
        if ODD_CHARACTERS.search(value):
            raise BadRequest(f"There are characters in it that we cannot show: {what}.")
        return value if longest == LONGEST_TEXT else " ".join(value.split())

    def typed_age(self) -> int:
        """Return the age in years."""
        age = self.typed("age", "your age")
        if not re.fullmatch("[0-9]{1,3}", age):
            raise BadRequest("Please type your age in years, as a number.")
        return int(age)

    def typed_mail_address(self) -> str:
        address = self.typed("email", "your e-mail address", LONGEST_ADDRESS)
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise BadRequest("That does not look like an e-mail address.")
        return address

    def typed_image_address(self) -> str:
        """Return the address of an image on another server, or "" when none was given."""
        address = self.typed_or_empty("image", "the link to the image", LONGEST_ADDRESS)
        try:
            parts = urlsplit(address)
        except ValueError:  # "https://[": an IPv6 address that never ends
            parts = urlsplit("invalid:")
        if address and (parts.scheme not in ("http", "https") or not parts.hostname or " " in address):
            raise BadRequest("A link to an image starts with https:// and names a server.")
        return parts.geturl()
