"""A partner system's client for Orgdesk, with nothing but Python's own library.

    client = Client("https://desk.example.com", "aB3dE6gH9jK2mN5p", key="oc_v1_…")
    client.ask("{ services { nodes { code status } } }")

With `key` it gets itself a token, and a new one when that runs out. With `signing_secret` instead it signs each request.
Run as a program it adds a service, contracts, suspends and terminates it: `python3 client.py` reads ORGDESK_URL,
ORGDESK_ORGANIZATION, ORGDESK_KEY and ORGDESK_SIGNING_SECRET from the environment.
"""

import base64
import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from urllib.parse import parse_qsl, urlsplit

ISSUE = """
mutation PartnerTokenIssue($input: PartnerTokenIssueInput!) {
  partnerTokenIssue(input: $input) { token { accessToken expiresAt scopes } userErrors { code message availableAt } }
}
"""

SERVICES = "query Services { services(first: 100) { totalCount nodes { id code name status version } } }"

ADD = """
mutation ServiceCreate($input: ServiceCreateInput!) {
  serviceCreate(input: $input) { service { id code version contract { id version } } userErrors { code field message } }
}
"""

CONTRACT = """
mutation ContractSign($id: ID!, $input: ContractSignInput!) {
  contractSign(id: $id, input: $input) { service { status version } userErrors { code field message } }
}
"""

SUSPEND = """
mutation ServiceSuspend($id: ID!, $input: ServiceSuspendInput!) {
  serviceSuspend(id: $id, input: $input) { service { status version } userErrors { code field message } }
}
"""

TERMINATE = """
mutation ServiceTerminate($id: ID!, $input: ServiceTerminateInput!) {
  serviceTerminate(id: $id, input: $input) { service { status version } userErrors { code field message } }
}
"""


class Refused(Exception):
    """The answer says why; `code` is for programs, and the same in every language."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def signature(secret, organization, path, query, body, timestamp):
    """Base 64 of the HMAC-SHA256 over organization ID, path, values, body and time."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0].encode())
    values = "&".join(value for _, value in pairs).encode()
    if pairs and body:
        values += b"&"
    text = organization.encode() + path.encode() + values + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


class Client:
    """Asks one organization's API."""

    def __init__(self, url, organization, key=None, signing_secret=None):
        self.url = url.rstrip("/") + "/graphql"
        self.organization = organization
        self.key = key
        self.signing_secret = signing_secret
        self.token = None
        self.last_time = 0

    def ask(self, query, variables=None):
        """The answer's data; `Refused` where it has errors."""
        body = json.dumps({"query": query, "variables": variables or {}}, ensure_ascii=False).encode()
        if self.signing_secret:
            return self.send(body, self.signed(body))
        if self.token is None:
            self.token = self.issue()
        try:
            return self.send(body, {"Authorization": f"Bearer {self.token}"})
        except Refused as refused:
            if refused.code != "UNAUTHENTICATED":
                raise
        # The token ran out: one more try with a new one. A key that is dead gets none.
        self.token = self.issue()
        return self.send(body, {"Authorization": f"Bearer {self.token}"})

    def do(self, query, variables):
        """One mutation's payload; `Refused` where it has user errors."""
        (payload,) = self.ask(query, variables).values()
        for error in payload["userErrors"]:
            raise Refused(error["code"], error["message"])
        return payload

    def issue(self):
        """A new token for the key."""
        given = {"input": {"organization": self.organization, "key": self.key}}
        body = json.dumps({"query": ISSUE, "variables": given}).encode()
        payload = self.send(body, {})["partnerTokenIssue"]
        for error in payload["userErrors"]:
            raise Refused(error["code"], error["message"])
        return payload["token"]["accessToken"]

    def signed(self, body):
        """The headers of a signed request. A signature is taken once: each request has a time of its own."""
        self.last_time = max(time.time_ns() // 1_000_000, self.last_time + 1)
        timestamp = str(self.last_time)
        parts = urlsplit(self.url)
        signed = signature(self.signing_secret, self.organization, parts.path, parts.query, body, timestamp)
        return {"Authorization": signed, "X-TC-Timestamp": timestamp, "X-Organization-Id": self.organization}

    def send(self, body, headers):
        request = urllib.request.Request(self.url, data=body, method="POST")
        given = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Language": "en"}
        for name, value in {**given, **headers}.items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            # Too much at once: `Retry-After` says how many seconds to wait.
            answer = json.load(error)
        for error in answer.get("errors", []):
            raise Refused(error.get("extensions", {}).get("code", "UNKNOWN"), error["message"])
        return answer["data"]


def run(client, code):
    """Adds a service, contracts, suspends and terminates it. A retry with the same idempotency key is safe."""
    once = uuid.uuid4().hex
    new = {"kind": "CONSULTATION", "code": code, "name": f"상담 {code}", "idempotencyKey": once}
    service = client.do(ADD, {"input": new})["service"]
    again = client.do(ADD, {"input": new})["service"]
    assert again["id"] == service["id"]
    contract = service["contract"]
    items = [{"code": "TICKET", "userCount": 3}]
    signing = {"expectedVersion": contract["version"], "items": items}
    signed = client.do(CONTRACT, {"id": contract["id"], "input": signing})["service"]
    suspending = {"expectedVersion": signed["version"], "acknowledgeCharges": True}
    suspended = client.do(SUSPEND, {"id": service["id"], "input": suspending})["service"]
    ending = {"expectedVersion": suspended["version"]}
    ended = client.do(TERMINATE, {"id": service["id"], "input": ending})["service"]
    return [signed["status"], suspended["status"], ended["status"]]


def main():
    url, organization = os.environ["ORGDESK_URL"], os.environ["ORGDESK_ORGANIZATION"]
    by_token = Client(url, organization, key=os.environ["ORGDESK_KEY"])
    by_signature = Client(url, organization, signing_secret=os.environ["ORGDESK_SIGNING_SECRET"])
    for name, client, code in [("token", by_token, "viatoken"), ("signature", by_signature, "viasignature")]:
        print(json.dumps({"by": name, "states": run(client, code), "left": client.ask(SERVICES)["services"]["totalCount"]}))


if __name__ == "__main__":
    main()
