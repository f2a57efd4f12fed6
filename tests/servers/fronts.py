"""Servers in front of a site, each with the configuration that ``privguard export`` prints for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from browsers.programs import require
from privguard import Policy
from privguard.cli._export import _FRONTS
from privguard.cli._front import front_of
from servers.harness import Server, free_port

HEADER = "X-Privguard-Log"
# Where a request says that it comes from another address, for those that can be told to believe it.
ADDRESS_HEADER = "X-Test-Address"

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/errors.txt crit;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    set_real_ip_from 127.0.0.1;
    real_ip_header {address_header};
    include {folder}/site.conf;
}}
"""
APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
Mutex file:{folder} default
ServerName localhost
Listen 127.0.0.1:{port}
Listen [::1]:{port}
ErrorLog {folder}/errors.txt
{modules}
{user}
RemoteIPHeader {address_header}
RemoteIPInternalProxy 127.0.0.1
Include {folder}/site.conf
"""
APACHE_MODULES = "mpm_event authz_core headers proxy proxy_http rewrite setenvif remoteip"


class Front(Server):
    """A server in front of the port *upstream*; its log is what the exported configuration has it write."""

    program: str
    export: str

    def __init__(self, settings, upstream, files=None, query=True):
        self.path = require(self.program)
        self.folder = Path(tempfile.mkdtemp(prefix="front-"))  # where a server that gives up root can still read
        self.folder.chmod(0o755)
        self.policy = Policy(settings)
        self.front = replace(front_of(self.policy, HEADER, str(files) if files else None), query=query)
        self.upstream = upstream
        self.environment = dict(os.environ)
        self.command = [self.program]

    def _start(self):
        self.port = free_port()
        text = _FRONTS[self.export](self.front)
        for old, new in self.changes():
            assert old in text, old
            text = text.replace(old, new)
        (self.folder / "site.conf").write_text(text)
        with (self.folder / "output.txt").open("wb") as output:
            command = self.prepare()
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )

    def changes(self):
        """What an owner would change in the exported text."""
        return [("127.0.0.1:8000", f"127.0.0.1:{self.upstream}")]

    def prepare(self):
        raise NotImplementedError

    def remove(self):
        shutil.rmtree(self.folder)

    def said(self):
        """What it says of itself."""
        texts = [path.read_text(errors="replace") for path in sorted(self.folder.glob("*.txt"))]
        return "\n".join(texts)

    def access_lines(self):
        path = self.folder / "access.log"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def logged(self):
        """The target of each request that is logged."""
        return [line.split('"')[1].split()[1] for line in self.access_lines()]

    def addresses(self):
        return [line.split()[0] for line in self.access_lines()]


class Nginx(Front):
    program = export = "nginx"
    believes_addresses = True

    def changes(self):
        here = f"listen 127.0.0.1:{self.port};\n    listen [::1]:{self.port};"
        return [*super().changes(), ("listen 80;", here), ("/var/log/nginx/", f"{self.folder}/")]

    def prepare(self):
        configuration = self.folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=self.folder, address_header=ADDRESS_HEADER))
        return [self.path, "-c", str(configuration), "-e", str(self.folder / "start.txt")]


class Apache(Front):
    program = "apache2"
    export = "apache"
    believes_addresses = True

    def changes(self):
        return [*super().changes(), ("*:80>", f"*:{self.port}>"), ("${APACHE_LOG_DIR}", str(self.folder))]

    def prepare(self):
        modules = "\n".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES.split()
        )
        configuration = self.folder / "apache.conf"
        configuration.write_text(
            APACHE.format(
                folder=self.folder,
                port=self.port,
                modules=modules,
                user="User nobody\nGroup nogroup" if os.geteuid() == 0 else "",
                address_header=ADDRESS_HEADER,
            )
        )
        return [self.path, "-f", str(configuration), "-DFOREGROUND"]


class Caddy(Front):
    program = export = "caddy"
    believes_addresses = False

    def changes(self):
        return [
            *super().changes(),
            ("\n{\n", "\n{\n    admin off\n    auto_https off\n"),
            (":80 {", f":{self.port} {{"),
            ("/var/log/caddy/", f"{self.folder}/"),
        ]

    def prepare(self):
        self.environment |= {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": ""}
        return [self.path, "run", "--adapter", "caddyfile", "--config", str(self.folder / "site.conf")]

    def _requests(self):
        return [json.loads(line)["request"] for line in self.access_lines()]

    def logged(self):
        return [request["uri"] for request in self._requests()]

    def addresses(self):
        return [request.get("remote_ip", "-") for request in self._requests()]


FRONTS = {"nginx": Nginx, "apache": Apache, "caddy": Caddy}
