"""Tests of flag_child() and on_child() within ATOMIC_REQUESTS: what the guide says of Django's transactions, tried."""

from __future__ import annotations

import json
import subprocess
import sys

SITE = """
import json

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.db", "ATOMIC_REQUESTS": True}},
    MIDDLEWARE=["privguard.django.PrivacyMiddleware"],
    ROOT_URLCONF=__name__,
)
django.setup()

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from privguard import flag_child, on_child


def store(text):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO stored VALUES (%s)", [text])


def taken(request):
    on_child(lambda: transaction.set_rollback(True))
    store("taken")
    return HttpResponse("Welcome")


def raised(request):
    store("raised")
    with transaction.atomic():
        store("raised-inside")
        flag_child()
        raise PermissionDenied


def rolled_back(request):
    on_child(lambda: transaction.set_rollback(True))
    store("rolled_back")
    flag_child()
    return HttpResponse("We kept nothing of this.")


def rolled_back_inside(request):
    on_child(lambda: transaction.set_rollback(True))
    store("outside")
    with transaction.atomic():
        store("inside")
        flag_child()
    return HttpResponse("We kept nothing of this.")


def queried_later(request):
    on_child(lambda: transaction.set_rollback(True))
    flag_child()
    try:
        store("later")
    except transaction.TransactionManagementError:
        return HttpResponse("no further query")


@transaction.non_atomic_requests
def without(request):
    store("without")
    on_child(lambda: transaction.set_rollback(True))
    try:
        flag_child()
    except transaction.TransactionManagementError:
        return HttpResponse("no transaction")


VIEWS = [taken, raised, rolled_back, rolled_back_inside, queried_later, without]
urlpatterns = [path(view.__name__, view) for view in VIEWS]
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE stored (text TEXT)")
answers = {}
for view in VIEWS:
    answer = Client().post(f"/{view.__name__}", {"text": "x"})
    answers[view.__name__] = [answer.status_code, answer.content.decode()]
with connection.cursor() as cursor:
    cursor.execute("SELECT text FROM stored")
    print(json.dumps([answers, [text for (text,) in cursor.fetchall()]]))
"""


def test_what_is_taken_back(tmp_path):
    """An exception takes everything back, set_rollback() the block that it is called in, and neither works outside."""
    run = [sys.executable, "-W", "error", "-c", SITE]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answers, stored = json.loads(done.stdout)
    assert stored == ["taken", "outside", "without"]
    statuses = {name: status for name, (status, _) in answers.items()}
    assert statuses == {**dict.fromkeys(answers, 200), "raised": 403}
    assert answers["rolled_back"][1] == "We kept nothing of this."
    assert answers["queried_later"][1] == "no further query"
    assert answers["without"][1] == "no transaction"
