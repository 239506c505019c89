"""A hub on this machine: the part of its protocol that loading a model asks for, and its accidents.

It serves the files of one folder as the model `lab/model`.
"""

import hashlib
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

NAME, COMMIT = "lab/model", "0123456789" * 4


class _Answer(BaseHTTPRequestHandler):
    """What the hub answers to one question; how it is served stands in `self.server`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def begin(self, status, length, **headers):
        self.send_response(status)
        headers = dict(Content_Length=length, X_Repo_Commit=COMMIT) | headers
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def say(self, value, status=200, **headers):
        text = json.dumps(value).encode()
        self.begin(status, len(text), Content_Type="application/json", **headers)
        if self.command == "GET":
            self.wfile.write(text)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.split("?")[0].strip("/")
        files = {p.name: p for p in sorted(self.server.folder.iterdir()) if p.is_file()}
        self.server.asked.append((self.command, path, self.headers.get("Range")))
        parts = path.removeprefix("api/models/").removeprefix(NAME).strip("/").split("/")
        if path.startswith(f"api/models/{NAME}"):
            return self.tell_of(files, parts[0] == "tree", parts[2:])
        if path.startswith(f"{NAME}/resolve/") and len(parts) == 3 and parts[2] in files:
            return self.send(files[parts[2]])
        self.say(dict(error="Entry not found"), 404, X_Error_Code="EntryNotFound")

    def tell_of(self, files, tree, below):
        """The list of files, or what the model is."""
        if tree:
            entries = [
                dict(type="file", path=n, size=p.stat().st_size, oid="0" * 40)
                for n, p in files.items()
            ]
            return self.say([] if below else entries)
        siblings = [dict(rfilename=name) for name in files]
        self.say(dict(id=NAME, modelId=NAME, sha=COMMIT, private=False, tags=[], siblings=siblings))

    def send(self, path):
        """A file, from where it is asked for; a long one breaks off where the server says so."""
        data, first = path.read_bytes(), 0
        end = self.server.cut if path.suffix == ".safetensors" else None
        headers = dict(ETag=f'"{hashlib.sha256(data).hexdigest()}"', Accept_Ranges="bytes")
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            first = int(asked.removeprefix("bytes=").split("-")[0])
            headers["Content_Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        self.begin(206 if asked else 200, len(data) - first, **headers)
        if self.command == "GET":
            self.wfile.write(data[first:end])
            self.close_connection = end is not None


@contextmanager
def hub(folder):
    """A hub that runs: its `url`, what it was `asked`, and `cut`, the byte where weights end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    server.folder, server.cut, server.asked = Path(folder), None, []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
