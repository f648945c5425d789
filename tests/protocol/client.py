# SPDX-License-Identifier: EUPL-1.2
"""A client of Saatto in another language, written from docs/reference/protocol.md alone.

It shares no code with libsaatto: ZeroMQ and protobuf are the only things below it. The tests use it to
speak properly and, where they want to, improperly.
"""

import hashlib
import hmac
import importlib
import os
import pathlib
import subprocess
import sys
import time

import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]

HELLO, WELCOME, EVENTS, RECEIPTS, DELIVERIES, ACK, BEAT, REFUSAL = range(1, 9)
CLOCK, CLOCK_IDLE, ADVANCE, CLOCK_STATE, REDRIVE, REDRIVEN, BYE = range(9, 16)

KINDS = {"start": 1, "offer": 2, "take-up": 3, "accept": 8, "decline": 9, "book": 11, "met": 13, "confirm-takeover": 15,
         "withdraw": 18, "task-result": 30}


def contract(folder):
    """The generated protobuf module; made with protoc into `folder`."""
    made = pathlib.Path(folder) / "saatto" / "v1" / "saatto_pb2.py"
    if not made.exists():
        subprocess.run(["protoc", f"--proto_path={ROOT / 'proto'}", f"--python_out={folder}",
                        str(ROOT / "proto" / "saatto" / "v1" / "saatto.proto")], check=True)
    sys.path.insert(0, str(folder))
    return importlib.import_module("saatto.v1.saatto_pb2")


def case_id(secret, record_key, client):
    """UUIDv8 of a case: docs/reference/protocol.md "Case ids"."""
    raw = bytearray(hmac.new(secret, record_key.encode(), hashlib.sha256).digest()[:16])
    raw[6] = (raw[6] & 0x0f) | 0x80
    raw[8] = (raw[8] & 0x3f) | 0x80
    raw[15] = client[15]
    return bytes(raw)


class Refused(Exception):
    def __init__(self, refusal):
        super().__init__(f"{refusal.code}: {refusal.what}")
        self.refusal = refusal


class Client:
    """One session of one organisation."""

    def __init__(self, pb, endpoint, server_key, keys, organisation, credit=256, stream=None, clock=False,
                 probe=False):
        self.pb, self.endpoint, self.server_key, self.keys = pb, endpoint, server_key, keys
        self.organisation, self.credit, self.clock, self.probe = organisation, credit, clock, probe
        self.stream = stream or int.from_bytes(os.urandom(8), "big") | 1
        self.next_seq = {}         # shard -> number
        self.unreceipted = {}      # (shard, seq) -> body
        self.answers = {}          # (shard, seq) -> (code, what, leaf)
        self.deliveries = []       # (shard, seq, DeliveryBody) new ones, in order
        self.seen = set()          # (shard, incarnation, seq)
        self.epoch = {}
        self.session = None
        self.context = zmq.Context.instance()
        self.socket = None
        self.connect()

    def connect(self):
        if self.socket is not None:
            self.socket.close(0)
        s = self.context.socket(zmq.DEALER)
        s.linger = 0
        s.curve_serverkey = self.server_key.encode()
        s.curve_publickey, s.curve_secretkey = (k.encode() for k in self.keys)
        s.heartbeat_ivl, s.heartbeat_timeout = 2000, 6000
        s.sndtimeo = 10000  # a key that was refused leaves a socket that takes nothing
        if self.probe:  # a lost session is known at once
            s.immediate, s.probe_router = 1, 1
        s.connect(self.endpoint)
        self.socket = s

    def close(self):
        if self.socket is not None:
            self.socket.close(0)
            self.socket = None

    # ---- frames

    def send(self, frame_type, message):
        body = message if isinstance(message, bytes) else message.SerializeToString()
        self.socket.send_multipart([b"ST\x01" + bytes([frame_type]), body])

    def receive(self, timeout_s):
        """(type, message), or None when nothing came."""
        if not self.socket.poll(int(max(timeout_s, 0) * 1000)):
            return None
        parts = self.socket.recv_multipart()
        assert len(parts) == 2 and len(parts[0]) == 4 and parts[0][:3] == b"ST\x01", parts[0]
        pb = self.pb
        kind = parts[0][3]
        message = {WELCOME: pb.Welcome, RECEIPTS: pb.Receipts, DELIVERIES: pb.Deliveries, BEAT: pb.Beat, REFUSAL: pb.Refusal,
                   CLOCK: pb.Clock, CLOCK_STATE: pb.ClockState, REDRIVEN: pb.Redriven}[kind]()
        message.ParseFromString(parts[1])
        return kind, message

    # ---- session

    def hello(self, timeout_s=10):
        pb, nonce = self.pb, int.from_bytes(os.urandom(8), "big") | 1
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            self.send(HELLO, pb.Hello(versions=[1], nonce=nonce, organisation=self.organisation, stream=self.stream,
                                      program="tests/protocol", credit_messages=self.credit,
                                      credit_bytes=1 << 20 if self.credit else 0, clock=self.clock))
            got = self.receive(1)
            while got is not None:
                kind, message = got
                if kind == WELCOME and message.nonce == nonce:
                    self.session, self.shards, self.incarnation = message.session, message.shards, message.incarnation
                    self.welcome = message
                    return message
                if kind == REFUSAL and message.nonce == nonce:
                    if message.code != 14:
                        raise Refused(message)
                    self.receive(message.retry_ms / 1000)  # starting: once more
                    break
                got = self.receive(0.2)
        raise TimeoutError("no WELCOME")

    def event(self, case, kind, **members):
        """Numbers an event and keeps it until it is receipted; returns (shard, seq)."""
        pb = self.pb
        fields = members.pop("fields", {})
        e = pb.Event(salt=os.urandom(16), case_id=case, kind=KINDS[kind] if isinstance(kind, str) else kind, **members)
        for name, value in fields.items():
            f = e.fields.add(name=name)
            if isinstance(value, bool):
                f.boolean = value
            elif isinstance(value, int):
                f.integer = value
            elif isinstance(value, bytes):
                f.sealed = value
            else:
                f.text = value
        shard = case[15] % self.shards
        seq = self.next_seq.get(shard, 0) + 1
        self.next_seq[shard] = seq
        self.unreceipted[(shard, seq)] = e.SerializeToString()
        return shard, seq

    def flush(self, only=None):
        pb = self.pb
        frame = pb.Events(session=self.session, stream=self.stream)
        for (shard, seq), body in sorted(self.unreceipted.items()):
            if only is None or (shard, seq) in only:
                frame.messages.add(shard=shard, seq=seq, body=body)
        if frame.messages:
            self.send(EVENTS, frame)

    def take(self, got):
        kind, message = got
        if kind == RECEIPTS:
            for r in message.shards:
                codes = {x.seq: (x.code, x.what) for x in r.results}
                for seq, code in codes.items():
                    if seq < r.first:  # beside the range: ALTERED
                        self.answers[(r.shard, seq)] = code + (b"",)
                if any(shard == r.shard and seq < r.first <= r.upto for shard, seq in self.unreceipted):
                    self.flush()  # an answer in between was lost
                    continue
                for seq in range(r.first, r.upto + 1):
                    at = (seq - r.first) * 32
                    self.unreceipted.pop((r.shard, seq), None)
                    self.answers[(r.shard, seq)] = codes.get(seq, (0, "")) + (r.leaves[at:at + 32],)
        elif kind == DELIVERIES:
            ack = self.pb.Ack(session=self.session, incarnation=message.incarnation)
            upto = {}
            for d in message.deliveries:
                if d.epoch < self.epoch.get(d.shard, 0):
                    continue
                self.epoch[d.shard] = d.epoch
                upto[d.shard] = max(upto.get(d.shard, 0), d.seq)
                if (d.shard, message.incarnation, d.seq) in self.seen:
                    continue
                self.seen.add((d.shard, message.incarnation, d.seq))
                body = self.pb.DeliveryBody()
                body.ParseFromString(d.body)
                self.deliveries.append((d.shard, d.seq, body))
            for shard, seq in upto.items():
                ack.shards.add(shard=shard, upto=seq)
            self.send(ACK, ack)
        elif kind == REFUSAL:
            raise Refused(message)

    def until(self, condition, timeout_s=20):
        """Takes frames until condition() holds; sends again and says HELLO again where the broker asks for it."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the broker did not come to it")
            got = self.receive(0.5)
            try:
                if got is not None:
                    self.take(got)
            except Refused as r:
                if r.refusal.code == 13:
                    self.hello()
                elif r.refusal.code not in (14, 16):
                    raise
                self.flush()

    def ask(self, case, kind, timeout_s=20, **members):
        """Sends one event and returns its answer (code, what, leaf)."""
        key = self.event(case, kind, **members)
        self.flush()
        self.until(lambda: key in self.answers, timeout_s)
        return self.answers[key]

    def wait_delivery(self, match, timeout_s=20):
        self.until(lambda: any(match(b) for _, _, b in self.deliveries), timeout_s)
        return next(b for _, _, b in self.deliveries if match(b))
