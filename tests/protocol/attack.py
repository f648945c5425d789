#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""The wire contract from outside: a client in another language, and peers that misbehave.

After each attack an honest session must go on as before.
"""

import os
import pathlib
import shutil
import socket
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import zmq  # noqa: E402
from client import (ACK, BEAT, BYE, CLOCK_IDLE, EVENTS, HELLO, REFUSAL, Client, Refused, case_id, contract)  # noqa: E402
from installation import ROOT, Installation, Report, select_briefly  # noqa: E402

MALFORMED, VERSION, HELLO_REQUIRED, GAP, ALTERED, NOT_ALLOWED, TWO_PERSONS = 11, 12, 13, 16, 17, 36, 48
PARTS = 100_001


class Suite:
    def __init__(self, installation):
        self.i = installation
        self.pb = contract(installation.folder)
        self.endpoint, self.server = self.i.info["endpoint"], self.i.info["server_key"]
        self.secret = os.urandom(32)
        self.cases = 0
        self.honest = self.client("oulu")
        self.honest.hello()

    def client(self, organisation, key_of=None, **more):
        return Client(self.pb, self.endpoint, self.server, self.i.key(key_of or organisation), organisation, **more)

    def start(self, client=None):
        """Starts a wage-subsidy case; returns its id and the answer."""
        self.cases += 1
        ref = bytes([0x77] * 14) + self.cases.to_bytes(2, "big")
        case = case_id(self.secret, f"case-{self.cases}", ref)
        answer = (client or self.honest).ask(
            case, "start", fields={"record": f"x-{self.cases}", "hetu": os.urandom(60)},
            start=self.pb.StartCase(workflow="palkkatuki", client=ref, home="oulu"))
        return case, answer

    def honest_goes_on(self):
        """A whole exchange: start, task delivered, answered, receipted with a leaf."""
        case, answer = self.start()
        assert answer[0] == 0, answer
        assert len(answer[2]) == 32 and any(answer[2]), "a receipt carries the leaf's hash"
        task = self.honest.wait_delivery(lambda b: b.case_id == case and b.kind == self.pb.TASK)
        assert task.step == "prepare" and "place-found" in task.exits, task
        return case, task

    # ---- the client in another language

    def speaks(self):
        case, task = self.honest_goes_on()
        answer = self.honest.ask(case, "task-result", token=task.token, entry=task.entry, exit="no-place")
        assert answer[0] == 0, answer

    def repeats(self):
        c = self.honest
        case, task = self.honest_goes_on()
        key = c.event(case, "task-result", token=task.token, entry=task.entry, exit="no-place")
        body = c.unreceipted[key]
        c.flush()
        c.until(lambda: key in c.answers)
        first = c.answers.pop(key)
        c.unreceipted[key] = body
        c.flush()
        c.until(lambda: key in c.answers)
        assert c.answers[key] == first, (first, c.answers[key])

    def refusal_repeats(self):
        c = self.honest
        case, _ = self.honest_goes_on()
        key = c.event(case, "accept", offer=9)
        body = c.unreceipted[key]
        c.flush()
        c.until(lambda: key in c.answers)
        first = c.answers.pop(key)
        assert first[0] != 0, first
        c.unreceipted[key] = body
        c.flush()
        c.until(lambda: key in c.answers)
        assert c.answers[key][:2] == first[:2], (first, c.answers[key])

    def altered(self):
        c = self.honest
        case, _ = self.honest_goes_on()
        key = c.event(case, "accept", offer=9)
        c.flush()
        c.until(lambda: key in c.answers)
        del c.answers[key]
        c.unreceipted[key] = self.pb.Event(salt=os.urandom(16), case_id=case, kind=9, offer=9).SerializeToString()
        c.flush()
        c.until(lambda: key in c.answers)
        assert c.answers[key][0] == ALTERED, c.answers[key]

    def gap_is_told(self):
        c = self.client("oulu")
        c.hello()
        case, _ = self.start(c)
        shard = case[15] % c.shards
        expected = c.next_seq[shard] + 1
        c.send(EVENTS, self.pb.Events(session=c.session, stream=c.stream, messages=[
            self.pb.Message(shard=shard, seq=expected + 7, body=self.pb.Event(salt=bytes(16), case_id=case, kind=8).SerializeToString())]))
        got = self.next_refusal(c)
        assert got.code == GAP and got.expected == expected and got.shard == shard, got
        self.leave(c)

    def next_refusal(self, c, timeout_s=10):
        end = None
        for _ in range(200):
            got = c.receive(timeout_s)
            assert got is not None, "no refusal came"
            if got[0] == REFUSAL:
                return got[1]
        return end

    # ---- identity

    def refused_count(self):
        return self.i.metric("saatto_gate_refused_total").get('{reason="unknown_key"}', 0)

    def unknown_key(self):
        before = self.refused_count()
        c = Client(self.pb, self.endpoint, self.server, self.i.new_key(), "oulu")
        c.socket.sndtimeo = 500
        try:
            c.hello(timeout_s=1.5)
            raise AssertionError("an unknown key got a session")
        except (TimeoutError, zmq.Again):
            pass
        finally:
            c.close()
        self.counted(lambda: self.refused_count() > before)
        self.honest_goes_on()

    def no_curve(self):
        """A ZeroMQ peer without CURVE, and one that speaks no ZeroMQ."""
        before = self.connections("handshake_failed") + self.connections("ended")
        plain = zmq.Context.instance().socket(zmq.DEALER)
        plain.linger = 0
        plain.connect(self.endpoint)
        plain.send_multipart([b"ST\x01\x01", b""])
        host, port = self.endpoint.removeprefix("tcp://").rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(os.urandom(100000))
            raw.settimeout(10)
            try:
                while raw.recv(4096):
                    pass
            except ConnectionError:
                pass
        self.counted(lambda: self.connections("handshake_failed") + self.connections("ended") >= before + 2)
        assert not plain.poll(0), "a peer without CURVE got an answer"
        plain.close(0)
        self.honest_goes_on()

    def other_name(self):
        c = self.client("oulu-te", key_of="oulu")
        try:
            c.hello()
            raise AssertionError("a key spoke for another organisation")
        except Refused as r:
            assert r.refusal.code == NOT_ALLOWED, r
        c.close()
        self.honest_goes_on()

    def stolen_routing_id(self):
        """A second key takes the first one's routing id: it gets nothing of it, and the first goes on."""
        name = b"org-a"
        a = self.client("oulu")
        a.socket.close(0)
        a.socket = a.context.socket(zmq.DEALER)
        a.socket.linger = 0
        a.socket.routing_id = name
        self.dress(a)
        a.hello()
        thief = self.client("kela-oulu")
        thief.socket.close(0)
        thief.socket = thief.context.socket(zmq.DEALER)
        thief.socket.linger = 0
        thief.socket.routing_id = name
        self.dress(thief)
        try:
            thief.hello(timeout_s=1.5)
        except (TimeoutError, Refused):
            pass
        case, answer = self.start(a)
        assert answer[0] == 0
        assert not any(b.case_id == case for _, _, b in thief.deliveries)
        for c in (a, thief):
            self.leave(c)
        self.honest_goes_on()

    def leave(self, c):
        """Says goodbye, so that its deliveries go to another session at once."""
        if c.session is not None:
            c.send(BYE, self.pb.Bye(session=c.session))
        c.socket.close(1000)
        c.socket = None

    def dress(self, c):
        c.socket.curve_serverkey = c.server_key.encode()
        c.socket.curve_publickey, c.socket.curve_secretkey = (k.encode() for k in c.keys)
        c.socket.connect(c.endpoint)

    def foreign_session(self):
        """Another organisation uses the honest one's session number."""
        thief = self.client("kela-oulu")
        thief.hello()
        case, _ = self.honest_goes_on()
        thief.session = self.honest.session
        thief.event(case, "accept")
        thief.flush()
        got = self.next_refusal(thief)
        assert got.code in (HELLO_REQUIRED, NOT_ALLOWED), got
        thief.close()
        self.honest_goes_on()

    def foreign_case(self):
        """An organisation that has nothing to do with a case makes an event on it."""
        case, task = self.honest_goes_on()
        thief = self.client("kela-oulu")
        thief.hello()
        answer = thief.ask(case, "task-result", token=task.token, entry=task.entry, exit="no-place")
        assert answer[0] == NOT_ALLOWED, answer
        thief.close()

    # ---- frames

    def many_parts(self):
        c = self.client("kela-oulu")
        c.hello()
        before = self.rejected("frames")
        for _ in range(PARTS - 1):
            c.socket.send(b"x", zmq.SNDMORE)
        c.socket.send(b"x")
        self.counted(lambda: self.rejected("frames") > before)
        self.honest_goes_on()
        c.close()

    def honest_again(self):
        """As honest_goes_on, but the gate may have been started anew."""
        for attempt in range(5):
            try:
                return self.honest_goes_on()
            except TimeoutError:
                self.honest.hello(timeout_s=20)
        raise TimeoutError("the honest session never came back")

    def rejected(self, reason):
        return self.i.metric("saatto_gate_refused_total").get(f'{{reason="{reason}"}}', 0)

    def connections(self, event):
        return self.i.metric("saatto_gate_connections_total").get(f'{{event="{event}"}}', 0)

    def counted(self, condition, timeout_s=10):
        """The figures come once a second."""
        until = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until, "it was not counted"
            select_briefly()

    def wrong_frames(self):
        frames, head = self.rejected("frames"), self.rejected("head")
        c = self.client("kela-oulu")
        c.hello()
        for parts in ([b""], [b"ST\x01\x03"], [b"ST\x01\x03", b"", b""], [b"STX\x03", b""], [b"ST\x01\xff", b""], [b"ST\x09\x01", b""],
                      [b"ST\x01\x03\x00", b""], [b"", b""], [b"ST\x01\x03", b"x" * 65536]):
            c.socket.send_multipart(parts)
        self.counted(lambda: self.rejected("frames") >= frames + 2 and self.rejected("head") >= head + 2)
        self.honest_again()
        c.close()

    def too_large(self):
        c = self.client("kela-oulu")
        c.hello()
        before = self.connections("ended")
        c.socket.send_multipart([b"ST\x01\x03", b"x" * 70000])  # beyond MAXMSGSIZE: the connection ends
        self.counted(lambda: self.connections("ended") > before)
        self.honest_goes_on()
        c.close()

    def nested(self, prefix, size=60000):
        """A field inside itself, over and over."""
        body = b""
        while len(body) < size:
            n, length = len(body), b""
            while True:
                n, low = n >> 7, n & 0x7f
                length += bytes([low | (0x80 if n else 0)])
                if not n:
                    break
            body = prefix + length + body
        return body

    def nested_deep(self):
        c = self.client("kela-oulu")
        c.hello()
        for body in (self.nested(b"\x92\x01"), self.nested(b"\x1a"), b"\x1b" * 60000):  # fields, messages, groups
            c.send(EVENTS, self.pb.Events(session=c.session, stream=c.stream, messages=[self.pb.Message(shard=0, seq=1, body=body)]))
            got = self.next_refusal(c)
            assert got.code == MALFORMED, got
            c.send(EVENTS, b"\x1a" + body[1:])
            assert self.next_refusal(c).code in (MALFORMED, HELLO_REQUIRED)
        c.close()
        self.honest_again()

    def garbage(self):
        before = sum(self.i.metric("saatto_messages_rejected_total").values())
        c = self.client("kela-oulu")
        c.hello()
        for frame_type in range(1, 16):
            for size in (1, 7, 200, 5000):
                c.send(frame_type, os.urandom(size))
        for text in (b"\xff\xfe", b"a\x00b"):  # bad UTF-8, NUL inside a string
            m = self.pb.Hello(versions=[1], nonce=5, organisation="kela-oulu", program="x").SerializeToString()
            c.send(HELLO, m.replace(b"\x2a\x01x", b"\x2a" + bytes([len(text)]) + text))
        c.send(HELLO, self.pb.Hello(versions=[1], nonce=5, organisation="kela-oulu").SerializeToString() + b"\xf8\x07\x01")  # unknown field
        c.send(EVENTS, self.pb.Events(session=c.session, stream=c.stream, messages=[self.pb.Message(shard=0, seq=1, body=os.urandom(300))]))
        self.counted(lambda: sum(self.i.metric("saatto_messages_rejected_total").values()) >= before + 15)
        self.honest_goes_on()
        c.close()

    def unknown_session(self):
        c = self.client("kela-oulu")
        c.hello()
        c.session ^= 1
        c.send(BEAT, self.pb.Beat(session=c.session, progress=1))
        got = self.next_refusal(c)
        assert got.code == HELLO_REQUIRED, got
        for frame_type, message in ((ACK, self.pb.Ack(session=c.session)), (CLOCK_IDLE, self.pb.ClockIdle(session=c.session)),
                                    (BYE, self.pb.Bye(session=c.session))):
            c.send(frame_type, message)
        c.close()
        self.honest_again()

    def other_version(self):
        c = self.client("kela-oulu")
        c.send(HELLO, self.pb.Hello(versions=[99], nonce=7, organisation="kela-oulu"))
        got = self.next_refusal(c)
        assert got.code == VERSION and "1" in got.what, got
        c.close()

    def admit(self, c):
        """A key just registered: until the gate has heard of it, each connection is refused."""
        for _ in range(100):
            c.socket.sndtimeo = 300
            try:
                return c.hello(timeout_s=0.6)
            except (TimeoutError, zmq.Again):
                c.connect()
        raise TimeoutError("the new key was never let in")

    def succession(self):
        """Responsibility passes to a successor by an operator's key that names a second administrator."""
        c = self.honest
        case, task = self.honest_goes_on()
        answer = c.ask(case, 50, name="oulu", second_admin=1)
        assert answer[0] == NOT_ALLOWED, answer
        key = self.i.new_key()
        self.i.run("org", "key", "add", "oulu", key[0], "--operator")
        operator = Client(self.pb, self.endpoint, self.server, key, "oulu", credit=0)
        self.admit(operator)
        for second, code in ((0, TWO_PERSONS), (2, TWO_PERSONS), (3, TWO_PERSONS), (1, 0)):
            answer = operator.ask(case, 50, name="oulu", second_admin=second)
            assert answer[0] == code, (second, answer)
        shown = self.i.json("case", "show", uuid.UUID(bytes=case))
        assert shown["holder"].split("/")[0] == "oulu-te", shown["holder"]
        self.leave(operator)
        nobody = Client(self.pb, self.endpoint, self.server, self.i.key("operator"), "operator", credit=0)
        nobody.hello()
        nobody.event(case, "task-result", token=task.token, entry=task.entry, exit="no-place")
        nobody.flush()
        assert self.next_refusal(nobody).code == NOT_ALLOWED
        self.leave(nobody)

    def operator_only(self):
        c = self.client("kela-oulu")
        c.hello()
        c.send(11, self.pb.Advance(session=c.session, target_us=1 << 50))
        for _ in range(50):
            got = c.receive(5)
            assert got is not None, "an organisation that advances the clock gets an answer"
            if got[0] in (REFUSAL, 12):
                assert got[1].code == NOT_ALLOWED, got
                break
        c.close()


TESTS = [
    ("a client in another language starts a case and answers its task", "speaks"),
    ("a repeated message gets the same answer and the same leaf", "repeats"),
    ("a repeated message that was refused gets the same refusal", "refusal_repeats"),
    ("other bytes under a used number are refused as altered", "altered"),
    ("a skipped number is answered with the number that must come next", "gap_is_told"),
    ("an unknown key gets no session and is counted", "unknown_key"),
    ("peers without CURVE or without ZeroMQ get nothing", "no_curve"),
    ("a key cannot speak for another organisation", "other_name"),
    ("another organisation's routing id gets nothing", "stolen_routing_id"),
    ("another organisation's session number gets nothing", "foreign_session"),
    ("an organisation that has no part in a case is refused", "foreign_case"),
    ("a message of 100,001 parts disturbs nobody else", "many_parts"),
    ("messages with a wrong number of frames or head disturb nobody", "wrong_frames"),
    ("a frame above the limit disturbs nobody", "too_large"),
    ("a message nested deep is malformed", "nested_deep"),
    ("garbage of every frame type is counted and disturbs nobody", "garbage"),
    ("an unknown session must say hello", "unknown_session"),
    ("an unknown version is told which one is spoken", "other_version"),
    ("responsibility passes to a successor by an operator's key and two administrators", "succession"),
    ("only an operator's key advances the clock", "operator_only"),
]


def network(folder):
    """The shipped network, where the city will have a successor."""
    shutil.copytree(ROOT / "workflows" / "instruments", pathlib.Path(folder) / "instruments")
    copy = pathlib.Path(shutil.copytree(ROOT / "workflows" / "network" / "oulu-2014", pathlib.Path(folder) / "network" / "oulu-2014"))
    text = (copy / "network.cfg").read_text()
    before = 'name = "Oulun kaupunki";'
    assert before in text
    (copy / "network.cfg").write_text(text.replace(before, before + ' valid = [ "2001-01-01", "2024-12-31" ];  successor = "oulu-te";'))
    return copy


def main():
    report = Report()
    with tempfile.TemporaryDirectory(dir=os.environ.get("SAATTO_TMP")) as folder, \
            Installation("--no-workers", "--clock=manual", "--network", network(folder)) as installation:
        suite = Suite(installation)
        for name, method in TESTS:
            report.attempt(name, getattr(suite, method))
        replay = installation.json("audit", "replay")
        report.check("afterwards the log folds into the stored state", replay.get("differences") == 0, replay)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
