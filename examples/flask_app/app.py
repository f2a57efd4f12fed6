"""The smallest Flask app with a log-in; what privguard needs of it is marked."""

import os
import secrets

from flask import Flask, redirect, render_template_string, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from privguard.flask import Privguard

app = Flask(__name__)
# A key that is made at every start logs everybody out at every start: set your own where people rely on it.
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"  # no other site can post our forms in a member's name
Privguard(app)  # privguard: the strict default; app.config["PRIVGUARD"] = {...} before this line changes it

MEMBERS = {"ada": generate_password_hash("lovelace")}

# privguard: a nonce lets a page's own inline style and script in, and nobody else's.
HEAD = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style nonce="{{ csp_nonce() }}">
  body { font-family: sans-serif; margin: 3em auto; max-width: 30em; padding: 0 1em; }
</style>
<h1>{{ title }}</h1>
"""
FRONT = """\
<p>Hello. It is <output>some time or other</output> where you are.</p>
<p><a href="{{ url_for('members') }}">For members</a></p>
<script nonce="{{ csp_nonce() }}">
  document.querySelector("output").textContent = new Date().toLocaleTimeString();
</script>
"""
LOGIN = """\
{% if failed %}<p role="alert">That name and that password do not go together.</p>{% endif %}
<form method="post">
  <p><label>Name <input name="name" autocomplete="username" required></label></p>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
  <button>Log in</button>
</form>
"""
MEMBERS_ONLY = """\
<p>Hello {{ name }}. You are logged in until you log out or close the browser.</p>
<form method="post" action="{{ url_for('logout') }}"><button>Log out</button></form>
"""


@app.get("/")
def front():
    return render_template_string(HEAD + FRONT, title="A site with a log-in")


@app.get("/members")
def members():
    if "name" not in session:
        return redirect(url_for("login"))
    return render_template_string(HEAD + MEMBERS_ONLY, title="For members", name=session["name"])


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "GET":
        return render_template_string(HEAD + LOGIN, title="Log in")
    name = request.form["name"]
    if name not in MEMBERS or not check_password_hash(MEMBERS[name], request.form["password"]):
        return render_template_string(HEAD + LOGIN, title="Log in", failed=True), 403
    session.clear()
    session["name"] = name
    return redirect(url_for("members"))


@app.post("/logout")
def logout():
    session.clear()
    return redirect(url_for("front"))
