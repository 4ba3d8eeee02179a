"""The check of addresses against a local server: what answers, what is dead, what only stumbled."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cxr_helpers import datasets
from tools.rules import addresses


class Server(BaseHTTPRequestHandler):
    """Answers by the path: /404, /no-heads, /moved, /stumbles (once), anything else is there."""

    def do_HEAD(self):
        self.server.asked.append(f"{self.command} {self.path}")
        status = int(self.path[1:]) if self.path[1:].isdigit() else 200
        if self.path == "/no-heads" and self.command == "HEAD":
            status = 405
        if self.path.startswith("/moved"):
            status = 302
        if self.path == "/stumbles" and len(self.server.asked) == 1:
            status = 503
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.path.removeprefix("/moved") or "/there")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as httpd:
        httpd.asked = []
        httpd.address = f"http://127.0.0.1:{httpd.server_port}"
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield httpd
        httpd.shutdown()


@pytest.mark.parametrize("path", ["/there", "/moved", "/no-heads", "/stumbles"])
def test_an_address_that_answers(path, server, capsys):
    assert addresses.main(["--wait", "0", server.address + path]) == 0
    assert "1 addresses, 0 dead" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "says"), [("/404", "404"), ("/410", "410"), ("/moved/404", "404"), ("/503", "503")]
)
def test_a_dead_address_among_others_fails_and_is_named(path, says, server, capsys):
    assert addresses.main(["--wait", "0", f"{server.address}/there", server.address + path]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"answers: {server.address}/there"
    assert lines[1].startswith(says)
    assert lines[1].endswith(server.address + path)
    assert server.asked.count(f"HEAD {path}") == (3 if path == "/503" else 1)


def test_a_server_that_is_gone_is_dead(server, capsys):
    server.shutdown()
    server.server_close()
    assert addresses.main(["--wait", "0", server.address]) == 1
    assert "no answer (ConnectionError)" in capsys.readouterr().out


def test_the_courses_own_are_those_of_the_catalogue_and_the_weights(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(addresses, "fault", lambda address, **_: asked.append(address) or "")
    assert addresses.main([]) == 0
    catalogue = datasets.catalogue()["url"]
    assert set(catalogue[catalogue.str.startswith("http")]) < set(asked)
    assert any("efficientnet_lite0" in address for address in asked)
    assert f"{len(asked)} addresses, 0 dead" in capsys.readouterr().out
