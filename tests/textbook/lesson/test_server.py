"""The server answers its own page, on loopback, and nobody else."""

import json
import re
import socket

import pytest

from mlpxp import MissingLibraryError, OutputError

pytest.importorskip("starlette")
pytest.importorskip("httpx2")
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mlpxp.textbook.lesson import server

HERE = "http://127.0.0.1:8700"


@pytest.fixture
def client():
    return TestClient(server.application(), base_url=HERE)


def connect(client, origin=HERE, host="127.0.0.1:8700"):
    headers = {name: value for name, value in (("origin", origin), ("host", host)) if value is not None}
    return client.websocket_connect("/socket", headers=headers)


def told(page, word, value=None):
    page.send_text(json.dumps({word: value}))
    return page.receive_json()


PATHS = ("/", "/lesson.css", "/lesson.js", "/plane.js", "/drawings.js", "/numbers.js")


@pytest.mark.parametrize("path", PATHS)
def test_the_page_and_its_parts(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    text = answer.text.replace("http://www.w3.org/2000/svg", "")  # a name that nothing asks for
    assert not re.search(r"//[a-z0-9-]+\.[a-z]", text)  # no address of anything outside
    assert "eval(" not in answer.text


def test_what_the_page_asks_for_is_there(client):
    asked = re.findall(r'(?:src|href)="([^"]+)"', client.get("/").text) + re.findall(r'from "\./([^"]+)"', client.get("/lesson.js").text)
    assert len(asked) >= 5
    assert [client.get(f"/{name}").status_code for name in asked if not name.startswith("data:")] == [200] * 5


@pytest.mark.parametrize("path", ["/nothing", "/../server.py", "/assets/page.html", "/%2e%2e/server.py"])
def test_nothing_else_is_there(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "host", ["example.org", "example.org:8700", "127.0.0.1.example.org", "192.168.0.7:8700", "localhost.example.org", ""]
)
def test_another_host_is_refused(client, host):
    assert client.get("/", headers={"host": host}).status_code == 400
    with pytest.raises(WebSocketDisconnect), connect(client, origin=f"http://{host}", host=host) as page:
        page.receive_json()


@pytest.mark.parametrize(
    "origin", ["http://example.org", "https://127.0.0.1:8700", "http://127.0.0.1:8701", "http://localhost:8700", "null", ""]
)
def test_another_origin_is_refused(client, origin):
    assert client.get("/", headers={"origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect), connect(client, origin=origin) as page:
        page.receive_json()


def test_a_socket_without_an_origin_is_refused(client):
    with pytest.raises(WebSocketDisconnect), connect(client, origin=None) as page:
        page.receive_json()


def test_localhost_is_here_too(client):
    assert client.get("/", headers={"host": "localhost:8700"}).status_code == 200
    with connect(client, origin="http://localhost:8700", host="localhost:8700") as page:
        assert page.receive_json()["frame"] == 1


def test_a_step_and_a_choice(client):
    with connect(client) as page:
        first = page.receive_json()
        assert (first["epoch"], first["m"], first["examples"]["classes"]) == (0, 4, ["0", "1"])
        second = told(page, "step")
        assert second["epoch"] == 1
        assert "examples" not in second  # the page has them
        assert second["shares"] != first["shares"]
        assert told(page, "choose", {"data": "moons"})["examples"]["classes"] == ["0", "1"]


def test_junk_is_answered_in_a_sentence_and_the_page_goes_on(client):
    with connect(client) as page:
        page.receive_json()
        for junk in ("{", '{"__class__": 1}', '{"choose": {"widths": [99]}}', '{"drawn": 99}', '{"table": "a"}'):
            page.send_text(junk)
            assert list(page.receive_json()) == ["error"]
        page.send_bytes(b"\xff\xfe")
        assert "JSON" in page.receive_json()["error"]
        assert told(page, "epoch")["epoch"] == 1


def test_a_run_waits_until_each_picture_is_drawn(client):
    with connect(client) as page:
        page.receive_json()
        view = told(page, "run")
        assert view["running"]
        for wanted in (1, 2, 3):
            view = told(page, "drawn", view["frame"])
            assert view["epoch"] == wanted
        paused = told(page, "pause")  # without a word that the last picture was drawn, nothing came in between
        assert (paused["epoch"], paused["running"]) == (3, False)
        assert paused["delay"] > 0.0


def test_two_pages_learn_by_themselves(client):
    with connect(client) as one, connect(client) as other:
        one.receive_json()
        other.receive_json()
        assert told(one, "epoch")["epoch"] == 1
        assert told(other, "epoch")["epoch"] == 1


def test_a_port_that_is_taken_is_passed_over():
    first, port = server.listen(18700)
    second, next_port = server.listen(port)
    try:
        assert next_port > port
        assert second.getsockname() == ("127.0.0.1", next_port)  # loopback only
    finally:
        first.close()
        second.close()


def test_no_port_is_left(monkeypatch):
    monkeypatch.setattr(server, "TRIED", 1)
    first, port = server.listen(18750)
    try:
        if port != 18750:
            pytest.skip("port 18750 is taken by something else")
        with pytest.raises(OutputError, match="18750 to 18750 are all taken"):
            server.listen(18750)
    finally:
        first.close()


def test_a_library_that_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    with pytest.raises(MissingLibraryError, match=r"mlpxp\[lesson\]"):
        server.check_libraries()


def test_the_process_says_where_it_is_and_ctrl_c_ends_it(start):
    import signal

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process, address, said = start("--port", str(port), BROWSER="nothing-that-is-there", DISPLAY="", PATH="/nowhere")
    assert f"port {port} is taken" in said
    assert address != f"http://127.0.0.1:{port}/"
    assert "no browser was found" in process.stdout.readline()
    from websockets.sync.client import connect as open_socket

    with open_socket(address.replace("http", "ws") + "socket", origin=address.rstrip("/")) as page:  # a page that is still open
        assert json.loads(page.recv())["m"] == 4
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert process.stderr.read() == ""
