"""S3 for tests: a moto server behind a gate that checks every signature with botocore and fails where it is told to.

It writes the port it listens on, on 127.0.0.1, to the file that it is given, and ends with its standard input.

POST /-/faults takes a JSON list of faults; each strikes the next `times` requests whose method is `method` (where given)
and whose path and query contain `match`:
    status   answer with `status` and the S3 error `code` instead
    lose     do what was asked, then break the connection without an answer
    cut      break the connection after half of the answer's body
    skew     refuse as a service would whose clock is `seconds` ahead
    late     answer 200 with an error document
    wait     wait `seconds`, then do what was asked
POST /-/log takes a text and answers with a JSON list of the requests so far that contain it, as "METHOD path?query status".
"""

import calendar
import datetime
import hashlib
import io
import json
import os
import socket
import sys
import threading
import time
import urllib.parse

os.environ.setdefault("S3_UPLOAD_PART_MIN_SIZE", str(1 << 20))

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

SECRETS = {"testing": ("secret/of+testing", None), "temporary": ("secret of temporary", "a token/with+signs==")}


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def fixed(auth, stamp):
    """An authenticator of botocore that signs at a given time."""
    now = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs((datetime.datetime.now(datetime.timezone.utc) - now).total_seconds()) > 900 + 60:
        raise Refused(403, "RequestTimeTooSkewed", "the request's time is too far from the server's")
    return auth


def expected_signature(method, url, headers, body):
    """What botocore signs the request with; the headers are those that the client says it signed."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query, keep_blank_values=True)
    if "X-Amz-Signature" in query:
        given = query["X-Amz-Signature"][0]
        scope = query["X-Amz-Credential"][0].split("/")
        signed, stamp, token = query["X-Amz-SignedHeaders"][0], query["X-Amz-Date"][0], query.get("X-Amz-Security-Token")
        token = token[0] if token else None
    else:
        fields = dict(
            part.strip().split("=", 1) for part in headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(",")
        )
        given, signed, scope = fields["Signature"], fields["SignedHeaders"], fields["Credential"].split("/")
        stamp, token = headers["x-amz-date"], headers.get("x-amz-security-token")
        for name in headers:
            if name.startswith("x-amz-") and name not in signed.split(";"):
                raise Refused(403, "AccessDenied", f"{name} is not signed")
        claimed = headers.get("x-amz-content-sha256")
        if claimed != hashlib.sha256(body).hexdigest():
            raise Refused(400, "XAmzContentSHA256Mismatch", "the body has another SHA-256")
    if scope[0] not in SECRETS:
        raise Refused(403, "InvalidAccessKeyId", "no such access key")
    secret, wanted_token = SECRETS[scope[0]]
    if token != wanted_token:
        raise Refused(403, "InvalidToken", "another session token")
    if "host" not in signed.split(";"):
        raise Refused(403, "AccessDenied", "host is not signed")
    credentials = Credentials(scope[0], secret, token)
    if "X-Amz-Signature" in query:
        auth = fixed(S3SigV4QueryAuth(credentials, scope[3], scope[2], int(query["X-Amz-Expires"][0])), stamp)
        parts = urllib.parse.urlsplit(url)
        kept = "&".join(p for p in parts.query.split("&") if not p.startswith("X-Amz-Signature="))
        request = AWSRequest(method, parts._replace(query=kept).geturl(), headers={"host": headers["host"]})
    else:
        auth = fixed(S3SigV4Auth(credentials, scope[3], scope[2]), stamp)
        request = AWSRequest(method, url, headers={n: headers[n] for n in signed.split(";")}, data=body)
    request.context["timestamp"] = stamp
    request.context["signing"] = {"disableDoubleEncoding": True}
    canonical = auth.canonical_request(request)
    return given, auth.signature(auth.string_to_sign(request, canonical), request)


class Gate:
    def __init__(self, application):
        self.application = application
        self.faults = []
        self.log = []
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        target = environ["RAW_URI"]
        method = environ["REQUEST_METHOD"]
        if target == "/-/faults":
            with self.lock:
                self.faults += json.loads(body)
            return self.answer(start_response, 200, b"")
        if target == "/-/log":
            with self.lock:
                return self.answer(start_response, 200, json.dumps([l for l in self.log if body.decode() in l]).encode())
        environ["wsgi.input"] = io.BytesIO(body)
        fault = self.due(method, target)
        headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        seen = []
        try:
            if fault and fault["kind"] == "skew":
                ahead = time.time() + fault["seconds"]
                date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(ahead))
                stamp = time.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
                if abs(calendar.timegm(stamp) - ahead) > 900:
                    with self.lock:
                        self.faults.insert(0, {**fault, "times": 1})
                    raise Refused(403, "RequestTimeTooSkewed", date)
            elif "x-lockstep-admin" in headers:
                # The test itself, past the gate.
                environ["HTTP_AUTHORIZATION"] = "AWS4-HMAC-SHA256 Credential=testing/20130524/us-east-1/s3/aws4_request"
            elif "authorization" in headers or "X-Amz-Signature" in target:
                given, wanted = expected_signature(method, f"http://{headers['host']}{target}", headers, body)
                if given != wanted:
                    raise Refused(403, "SignatureDoesNotMatch", f"expected {wanted}, found {given}")
            else:
                raise Refused(403, "AccessDenied", "the request is not signed")
            if fault and fault["kind"] == "status":
                raise Refused(fault["status"], fault["code"], "as the test wants it")
        except Refused as error:
            self.note(method, target, error.status)
            return self.refuse(start_response, method, error)
        if fault and fault["kind"] == "late":
            self.note(method, target, 200)
            text = f"<?xml version=\"1.0\"?>\n<Error><Code>{fault['code']}</Code><Message>late</Message></Error>"
            return self.answer(start_response, 200, text.encode())
        if fault and fault["kind"] == "wait":
            time.sleep(fault["seconds"])

        def start(status, fields, exc_info=None):
            seen.append(status)
            self.note(method, target, status.split()[0])
            if not (fault and fault["kind"] == "lose") and not (status.startswith("500") and "uploadId=" in target):
                start_response(status, fields, exc_info)
            return lambda data: None

        chunks = list(self.application(environ, start))
        if seen[0].startswith("500") and "uploadId=" in target:
            # moto finds the upload gone while it works on it, where S3 says so.
            return self.refuse(start_response, method, Refused(404, "NoSuchUpload", "the upload is not there"))
        if fault and fault["kind"] == "lose":
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("the answer is lost")
        if fault and fault["kind"] == "cut":
            data = b"".join(chunks)
            return self.half(data[: len(data) // 2], environ["werkzeug.socket"])
        return chunks

    @staticmethod
    def half(data, connection):
        yield data
        connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError("the connection breaks here")

    def due(self, method, target):
        plain = urllib.parse.unquote(target)
        with self.lock:
            for fault in self.faults:
                if fault["match"] in plain and fault.get("method", method) == method:
                    fault["times"] -= 1
                    if fault["times"] == 0:
                        self.faults.remove(fault)
                    return fault
        return None

    def note(self, method, target, status):
        with self.lock:
            self.log.append(f"{method} {urllib.parse.unquote(target)} {status}")

    def refuse(self, start_response, method, error):
        text = f"<?xml version=\"1.0\"?>\n<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
        date = error.message if error.code == "RequestTimeTooSkewed" and "GMT" in error.message else None
        return self.answer(start_response, error.status, b"" if method == "HEAD" else text.encode(), date)

    @staticmethod
    def answer(start_response, status, body, date=None):
        fields = [("Content-Length", str(len(body)))]
        if date:
            fields.append(("Date", date))
        start_response(f"{status} Answer", fields)
        return [body]


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def make_environ(self):
        environ = super().make_environ()
        environ["RAW_URI"] = self.path
        return environ

    def send_response(self, code, message=None):
        # Without a Date, which is the application's, or is added where that gives none.
        self.send_response_only(code, message)

    def log(self, type, message, *args):
        pass


def main():
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(str(server.server_address[1]))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    sys.stdin.read()
    os._exit(0)


main()
