"""privguard: the privacy policy that a site publishes is the one that its server enforces."""

from ._context import csp_nonce, flag_child, on_child
from ._errors import NonceError, OutsideRequestError, PrivguardError, SettingsError
from ._policy import ChildAction, CookieMode, PathRules, Policy

__all__ = [
    "ChildAction",
    "CookieMode",
    "NonceError",
    "OutsideRequestError",
    "PathRules",
    "Policy",
    "PrivguardError",
    "SettingsError",
    "csp_nonce",
    "flag_child",
    "on_child",
]
__version__ = "0.1.0"

# A traceback should name what users import, not where it happens to live.
for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
