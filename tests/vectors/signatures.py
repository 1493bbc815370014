"""Signatures of requests, made without any of Orgdesk's code: the vectors that the tests compare with.

The text that is signed is organization ID + path + values + time. `values` are the values of the query's parameters in
the order of their names, with & between, and then the body, after another & where there were parameters.
"""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qsl

SECRET = "ocs_v1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
ORGANIZATION = "aB3dE6gH9jK2mN5p"
TIME = "1793000000000"

REQUESTS = [
    ("no parameters, no body", "/graphql", "", ""),
    ("several parameters out of order", "/graphql", "page=2&kind=ISSUE&code=desk&pageSize=100", ""),
    ("one name twice, and an empty value", "/graphql", "b=2&a=&b=1", ""),
    ("a body", "/graphql", "", '{"query":"{ services { totalCount } }"}'),
    ("parameters and a body", "/graphql", "z=last&a=first", '{"query":"{ services { totalCount } }"}'),
    ("hangul in parameters", "/graphql", "name=%EC%83%81%EB%8B%B4+%EC%84%BC%ED%84%B0&code=desk", ""),
    (
        "hangul in both",
        "/graphql",
        "name=%EC%83%81%EB%8B%B4&a=%EA%B0%80%26%EB%82%98",
        '{"query":"query Q($n: String) { services(filter: { nameContains: $n }) { totalCount } }","variables":{"n":"상담"}}',
    ),
]


def sign(path, query, body):
    """The signature in base 64."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0].encode())
    values = "&".join(value for _, value in pairs)
    if pairs and body:
        values += "&"
    text = ORGANIZATION + path + values + body + TIME
    digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def main():
    requests = [
        {"name": name, "path": path, "query": query, "body": body, "signature": sign(path, query, body)}
        for name, path, query, body in REQUESTS
    ]
    told = {"secret": SECRET, "organization": ORGANIZATION, "time": TIME, "requests": requests}
    print(json.dumps(told, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
