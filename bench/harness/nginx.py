# SPDX-License-Identifier: Apache-2.0
"""nginx as a peer: its configuration, in a directory of its own."""

import pathlib

CONFIG = """\
daemon off;
{processes}
pid {directory}/pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096{reuseport};
        default_type text/plain;
        location = /hello {{ return 200 "hello, wide web\\n"; }}
    }}
}}
"""


def command(program, directory, port, procs):
    """Its command line; it says nothing when it listens. One processor: one
    process, without a master; more: a worker for each, with a socket of its
    own, which deals the connections out evenly."""
    one = procs == 1
    config = pathlib.Path(directory) / "nginx.conf"
    config.write_text(CONFIG.format(
        directory=directory, port=port, reuseport="" if one else " reuseport",
        processes="master_process off;" if one else
        f"master_process on; worker_processes {procs};"))
    return [program, "-p", str(directory), "-c", str(config), "-e", "stderr"]
