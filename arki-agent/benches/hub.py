#!/usr/bin/env python3
"""Stands in for a hub in the benchmark: enrols the agent and acknowledges what it ships, over TLS. Stores nothing.

usage: hub.py PORT CERTIFICATE KEY

It reads only what stands in clear in an envelope (arki-model/src/wire/envelope.rs): the epoch and the number of the first record of
the batch. It acknowledges that one record, so the agent sends the others of a batch again: more work for the agent
than a real hub makes, not less. Signatures are not checked.
"""

import http.server
import json
import ssl
import sys

# Any public key will do (RFC 8032, 7.1, test 1): nothing is signed with it.
HUB_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
PORT, CERTIFICATE, KEY = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def value(data, at):
    """The MessagePack unsigned integer or byte string at `at`, and where the next value begins."""
    head = data[at]
    if head < 0x80:
        return head, at + 1
    if 0xCC <= head <= 0xCF:
        end = at + 1 + (1 << (head - 0xCC))
        return int.from_bytes(data[at + 1 : end], "big"), end
    if 0xC4 <= head <= 0xC6:
        start = at + 1 + (1 << (head - 0xC4))
        end = start + int.from_bytes(data[at + 1 : start], "big")
        return data[start:end], end
    raise ValueError(f"unexpected MessagePack at {at}: {head:#x}")


def acknowledgement(body):
    signed, _ = value(body, 1)
    _version, at = value(signed, 1)
    _agent, at = value(signed, at)
    epoch, at = value(signed, at)
    sequence, at = value(signed, at)
    return {"epoch": f"{epoch:016x}", "sequence": sequence}


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/enroll":
            answer = {"agent_id": "01" * 16, "hub_key": HUB_KEY}
        else:
            answer = acknowledgement(body)
            print(f"{len(body)} bytes, {answer}", flush=True)
        answer = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(CERTIFICATE, KEY)
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Hub)
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
