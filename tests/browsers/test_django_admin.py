"""Tests of Django's own admin in real browsers, under the policy that is there when nobody has set one."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from browsers.browser import Browser
from browsers.programs import Process

SITE = Path(__file__).parents[2] / "examples" / "django_site"

# The example's settings, less what it has set for privguard's sake: cookies as Django sets them, and no policy at all.
SETTINGS = """
from mysite.settings import *

PRIVGUARD = {}
SESSION_EXPIRE_AT_BROWSER_CLOSE = False
CSRF_COOKIE_AGE = 60 * 60 * 24 * 7 * 52
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the fast one, for tests
AUTH_PASSWORD_VALIDATORS = []
"""
BARE = "MIDDLEWARE = MIDDLEWARE[1:]\n"
# How a console begins to tell of something that was blocked, or of a script that failed for want of it.
OF_MATTER = re.compile("Security.Policy|Refused|Uncaught|exceptionDetails|Error:")
SET_UP = """
import django
django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("migrate", verbosity=0)
get_user_model().objects.create_superuser("root", password="secret")
"""


def serve(folder: Path, more_settings: str = "") -> Iterator[str]:
    """Run the site on a new database and yield its address."""
    (folder / "admin_settings.py").write_text(SETTINGS + more_settings)
    environment = {
        "DATABASE": str(folder / "site.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "admin_settings",
        "PYTHONPATH": f"{folder}:{SITE}",
    }
    subprocess.run([sys.executable, "-c", SET_UP], env=environment, check=True, timeout=60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    server = Process(command, folder, environment, cwd=SITE)
    try:
        server.wait_for(lambda: listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.end()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve(tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve(tmp_path_factory.mktemp("bare"), BARE)


def submit(browser: Browser, button: str, **fields: str) -> str:
    """Fill in a form, send it, and return what the next page shows."""
    for name, text in fields.items():
        browser.fill(f"[name={name}]", text)
    with browser.loading():
        browser.click(button)
    return browser.text()


def log_in(browser: Browser, address: str) -> str:
    browser.open(f"{address}/admin/")
    return submit(browser, "[type=submit]", username="root", password="secret")


def kept(browser: Browser) -> dict[bytes, bool]:
    """Return which cookies there are, and whether they outlive the visit."""
    return {cookie.name: cookie.is_persistent for cookie in browser.cookies()}


def complaints(browser: Browser) -> list[str]:
    """Return what was blocked, and what the console says of it."""
    return browser.violations() + [one for one in browser.messages() if OF_MATTER.search(one)]


def test_admin_without_privguard(chromium: Browser, bare: str) -> None:
    """Were Django's cookies to end with the visit by themselves, the test below would prove nothing."""
    assert "Site administration" in log_in(chromium, bare)
    assert kept(chromium) == {b"sessionid": True, b"csrftoken": True}


def test_admin_under_the_default_policy(browser: Browser, guarded: str) -> None:
    """An owner logs in, lists, adds, changes and deletes, and logs out; nothing is blocked, and no cookie is kept."""
    assert "Site administration" in log_in(browser, guarded)
    assert kept(browser) == {b"sessionid": False, b"csrftoken": False}
    add_a_group(browser, guarded)
    add_and_change_a_user(browser, guarded)
    delete_both(browser, guarded)
    assert kept(browser) == {b"sessionid": False, b"csrftoken": False}
    # The front page, to which the example leads from there, tells the time by a script with a nonce.
    assert "some time or other" not in submit(browser, "#logout-form button")
    assert kept(browser) == {b"csrftoken": False}
    browser.open(f"{guarded}/admin/auth/user/")
    assert browser.run("return location.pathname") == "/admin/login/"
    assert complaints(browser) == []


def add_a_group(browser: Browser, address: str) -> None:
    browser.open(f"{address}/admin/auth/group/add/")
    # The chooser with two lists is made by the admin's own script.
    browser.wait_until("document.querySelector('#id_permissions_from')?.length > 9")
    browser.run("""
        const option = document.querySelector("#id_permissions_from").options[0];
        option.selected = true;
        option.dispatchEvent(new MouseEvent("dblclick", {bubbles: true}))""")
    assert browser.wait_until("document.querySelector('#id_permissions_to').length") == 1
    assert "was added successfully" in submit(browser, "[name=_save]", name=f"Readers with {browser.name}")
    browser.open(f"{address}/admin/auth/group/?q=with+{browser.name}")
    assert "Readers" in browser.text() and "1 group" in browser.text()
    with browser.loading():
        browser.click("th.field-__str__ a, .field-__str__ a")
    assert browser.wait_until("document.querySelector('#id_permissions_to')?.length") == 1


def add_and_change_a_user(browser: Browser, address: str) -> None:
    browser.open(f"{address}/admin/auth/user/add/")
    text = submit(browser, "[name=_save]", username=f"ada-{browser.name}", password1="as secret", password2="as secret")
    assert "was added successfully" in text
    # "Today" and "Now", which the admin's own script has put beside the fields.
    shortcuts = "document.querySelectorAll('.field-last_login .datetimeshortcuts > a:first-of-type')"
    assert browser.wait_until(f"{shortcuts}.length") == 2
    browser.run(f"{shortcuts}.forEach(one => one.click())")
    browser.run("document.querySelector('#id_is_staff').click()")
    assert "was changed successfully" in submit(browser, "[name=_save]", first_name="Ada", last_name="Lovelace")
    browser.open(f"{address}/admin/auth/user/?is_superuser__exact=0")
    assert "Lovelace" in browser.text() and "1 user" in browser.text()


def delete_both(browser: Browser, address: str) -> None:
    """One by the link on its page, and one by the action on the list."""
    with browser.loading():
        browser.click("th.field-username a")
    with browser.loading():
        browser.click(".deletelink")
    assert "Are you sure" in browser.text()
    assert "was deleted successfully" in submit(browser, "[type=submit][value*=sure]")
    browser.open(f"{address}/admin/auth/group/")
    browser.click("#action-toggle")
    browser.fill("[name=action]", "delete_selected")
    assert "Are you sure" in submit(browser, "[name=index]")
    assert "Successfully deleted 1 group" in submit(browser, "[type=submit][value*=sure]")
