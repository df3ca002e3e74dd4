# SPDX-License-Identifier: Apache-2.0
"""A site to be crawled, which notes who asks for what.

    crawler_site.py

/_log is what was asked for since the last time, a line for each request;
/gate/N is answered when GATE of its kind are there at once; /slow/ never is.
"""

import http.server
import threading

GATE = 4
TIMEOUT = 90  # seconds; only a failure gets that far

HTML = {
    "/": """<html><a href="plain.html">a</a> <A HREF='/dir/'>b</A>
        <a class=x href=unquoted.html>c</a> <a href = "q?a=1&amp;b=2">d</a>
        <a href="plain.html#part">again</a> <a href="#top">here</a>
        <a href="mailto:a@b">no</a> <a href="https://127.0.0.1/">no</a>
        <a href="javascript:go('/never')">no</a>
        <a href="http://127.0.0.2:1/other">another host</a>
        <a data-href="/never">no</a> href="/text" <a href="/missing">m</a>
        <a href="/moved">r</a> <a href="a b.html">blank</a>
        <a href="/data.bin">x</a> <a href="http://HOST/dir/../up.html">u</a>
        <a href="/cut">e</a> <a href="never""",
    "/plain.html": '<a href="/">home</a>',
    "/dir/": '<a href="../up.html">up</a> <a href="./deep/">d</a>'
             '<a href="../../../../top.html">t</a> <a href="?x">q</a>',
    "/dir/?x": "",
    "/dir/deep/": '<a href="deeper/">d</a> <a href="">me</a>',
    "/dir/deep/deeper/": '<a href="//HOST/end.html">e</a>',
    "/unquoted.html": "", "/q?a=1&b=2": "", "/a%20b.html": "",
    "/up.html": "", "/top.html": "", "/text": "", "/end.html": "",
    "/gates": "".join(f'<a href="/gate/{i}">' for i in range(3 * GATE)),
    "/endless/0": '<a href="/slow/1"><a href="/slow/2">',
}

lock = threading.Condition()
log = []
gate = {"there": 0, "most": 0, "opened": 0}


def pass_gate():
    """Wait until GATE requests are in here; whoever completes them opens."""
    with lock:
        gate["there"] += 1
        gate["most"] = max(gate["most"], gate["there"])
        turn = gate["opened"]
        if gate["there"] == GATE:
            gate["there"] = 0
            gate["opened"] += 1
            lock.notify_all()
        return lock.wait_for(lambda: gate["opened"] > turn, TIMEOUT)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT

    def answer(self, status, body=b"", kind="text/html", **fields):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", fields.pop("length", len(body)))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path
        if path == "/_log":
            with lock:
                text = "".join(line + "\n" for line in sorted(log))
                log.clear()
            return self.answer(200, text.encode(), "text/plain")
        with lock:
            log.append(path)
        if path in HTML:
            host = self.headers["Host"]
            body = HTML[path].replace("HOST", host).encode()
            return self.answer(200, body, "text/html; charset=utf-8")
        if path == "/moved":
            return self.answer(302, Location="/dir/deep/")
        if path == "/data.bin":
            return self.answer(200, b'<a href="/never">' * 10000,
                               "application/octet-stream")
        if path == "/cut":  # less than was said
            self.close_connection = True
            return self.answer(200, b"half", length=8)
        if path.startswith("/gate/"):
            return self.answer(200 if pass_gate() else 500)
        if path.startswith("/slow/"):
            self.rfile.read(1)  # until the client is gone
            self.close_connection = True
            return None
        return self.answer(404)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Handler)
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
