#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""kill -9 through the whole demo, at counted calls: core, gate, a worker, a PostgreSQL backend, in turn.

One installation plays the demo's cohorts on the manual clock. Before each step of the clock one
process is armed to die at its k-th call that crosses its border (killpoint.c), k drawn by a seeded
generator from what its kind did in earlier steps. Beside the workers a client of its own sends
events in each step. After each kill the installation must have come back by itself and the step must
have been finished; then the invariants are checked on what is stored.

    SAATTO_SEED=N   draws the same points again (as far as the machine's own timing does the same)

Everything stands in memory where there is room: kill -9 loses nothing of the page cache, and the
recovery of a database that syncs a thousand files costs more than all else.
"""

import contextlib
import datetime
import mmap
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "protocol"))

from client import Client, Refused, case_id, contract  # noqa: E402
from installation import BUILD, SAATTO, Failed, Installation, Report, select_briefly  # noqa: E402

ROLES = ["other", "core", "gate", "worker", "backend"]
KILLS = 200
STEPS = 260
AGAIN, START_CALLS = 0.25, 60  # how often the successor is killed too, while it starts
BEGIN, END = datetime.date(2005, 1, 3), datetime.date(2009, 7, 1)
STEP_LIMIT_S = 60
TIP_S = 600  # seconds by which the same event may differ between two runs
HELLO_REQUIRED, BUSY = 13, 14
DIFFERENT = 10  # exit status of audit replay and report summary
DEMO = ["--clock=manual", "--start", "2005-01-03 08:00", "--network", "oulu-2014"]

CHECKS = """
SELECT 'twice', count(*) FROM (SELECT FROM event WHERE org <> 0 GROUP BY shard, org, stream, seq HAVING count(*) > 1) x;
SELECT 'holes', count(*) FROM (SELECT shard, org, stream, max(seq) AS last, count(*) AS n FROM event
  WHERE org <> 0 GROUP BY shard, org, stream) e LEFT JOIN inbox_stream i USING (shard, org, stream)
  WHERE i.last IS DISTINCT FROM e.last OR e.n <> e.last;
SELECT 'log', count(*) FROM (SELECT shard FROM event GROUP BY shard HAVING max(idx) <> count(*) OR min(idx) <> 1) x;
SELECT 'own', shard, seq, code, encode(leaf, 'hex') FROM event WHERE stream = :stream ORDER BY shard, seq;
SELECT 'mark', 'inbox', shard, org, stream, last FROM inbox_stream;
SELECT 'mark', 'acked', shard, org, 0, acked FROM outbox_cursor;
SELECT 'mark', 'outbox', shard, org, 0, last FROM outbox_head;
SELECT 'mark', 'mail sent', src, dst, 0, last FROM mail_head;
SELECT 'mark', 'mail taken', src, dst, 0, upto FROM mail_in;
SELECT 'mark', 'epoch', shard, 0, 0, epoch FROM shard;
SELECT 'mark', 'clock', 0, 0, 0, (extract(epoch FROM clock) * 1000000)::int8 FROM installation;
"""


# Everything that happened in the demo's own cases, for comparison between two installations.
STORY = """
SELECT kind, org, code, extract(epoch FROM ts)::int8 FROM event
  WHERE case_id NOT IN (SELECT case_id FROM event WHERE stream = :stream) ORDER BY 1, 2, 3, 4;
"""


class Control:
    """The page that killpoint.c maps in every process."""

    LAYOUT = struct.Struct("=IIqIIq5Q")  # killpoint.c: struct control

    def __init__(self, path):
        path.write_bytes(bytes(self.LAYOUT.size))
        path.chmod(0o666)  # PostgreSQL has a user of its own
        with open(path, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), self.LAYOUT.size)

    def _read(self):
        return self.LAYOUT.unpack(self.page[:])

    def arm(self, role, after, k, again):
        self.page[24:32] = struct.pack("=q", again)
        self.page[8:16] = struct.pack("=q", k)
        self.page[4:8] = struct.pack("=I", after)
        self.page[0:4] = struct.pack("=I", ROLES.index(role))  # last: now it counts

    def disarm(self):
        self.page[0:4] = struct.pack("=I", 0)

    @property
    def armed(self):
        return self._read()[0] != 0

    @property
    def fired(self):
        """How often it has killed."""
        return self._read()[3]

    def calls(self, role):
        return self._read()[6 + ROLES.index(role)]


class Unreachable(Exception):
    """The database did not answer."""


def query(installation, sql, stream):
    """Rows of text; a connection of its own each time, so that a kill cannot reach into it."""
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-v", f"stream={stream - (stream >> 63 << 64)}",
                           installation.info["dsn"]["admin"]], input=sql, capture_output=True, text=True, timeout=STEP_LIMIT_S)
    if done.returncode != 0:
        raise Unreachable(done.stderr)
    return [line.split("|") for line in done.stdout.splitlines()]


def begin_cohorts(installation):
    for cohort in ("palkkatuki-2005-2008", "pilot-groups", "employer-contacts-2007", "info-500"):
        installation.run("case", "start", "--cohort", cohort)


def results(installation, stream):
    return {"outcomes": installation.run("report", "outcomes"), "story": query(installation, STORY, stream)}


class Undisturbed(threading.Thread):
    """The same demo on an installation of its own, without kills, while the other begins."""

    def __init__(self, base, keys):
        super().__init__()
        self.base, self.keys, self.results, self.error = base, keys, None, None
        self.start()

    def run(self):
        try:
            with Installation(*DEMO, base=self.base, keys=self.keys) as i:
                begin_cohorts(i)
                i.run("clock", "advance", "--to", f"{END} 00:00", timeout=4 * STEP_LIMIT_S)
                self.results = results(i, -1)  # no stream is excluded
        except Exception as e:  # told in the main thread
            self.error = e


class Own:
    """A client beside the workers: its events and their receipts are known outside the system."""

    def __init__(self, installation):
        self.pb = contract(installation.folder)
        info = installation.info
        self.client = Client(self.pb, info["endpoint"], info["server_key"], installation.key("oulu"), "oulu",
                             credit=0, probe=True)
        self.secret = os.urandom(32)
        self.cases = 0
        self.codes = {}  # (shard, seq) -> expected code, None = any refusal
        self.client.hello()

    def send(self):
        """A case that begins, an answer nobody waits for, the client's leaving: they need each other's order."""
        self.cases += 1
        ref = os.urandom(16)
        case = case_id(self.secret, f"own-{self.cases}", ref)
        c = self.client
        self.codes[c.event(case, "start", fields={"record": f"own-{self.cases}", "hetu": os.urandom(60)},
                           start=self.pb.StartCase(workflow="palkkatuki", client=ref, home="oulu"))] = 0
        self.codes[c.event(case, "accept", offer=9)] = None
        self.codes[c.event(case, 40)] = 0
        c.flush()

    def receive(self, limit_s):
        """Until every event has its receipt."""
        end = time.monotonic() + limit_s
        c = self.client
        while c.unreceipted:
            if time.monotonic() > end:
                raise TimeoutError(f"no receipt for {sorted(c.unreceipted)}")
            got = c.receive(0.5)
            try:
                if got is not None:
                    c.take(got)
            except Refused as r:
                if r.refusal.code == HELLO_REQUIRED:
                    c.hello(limit_s)
                elif r.refusal.code == BUSY:
                    c.receive(r.refusal.retry_ms / 1000)
                c.flush()


class Sweep:
    def __init__(self, seed, folder):
        self.seed, self.random, self.folder = seed, random.Random(seed), folder
        self.control = Control(self.folder / "killpoint")
        self.i = Installation(*DEMO, env={"SAATTO_KILLPOINT": str(self.folder / "killpoint")},
                              preload=BUILD / "tests" / "killpoint.so", base=folder)
        self.marks = {}
        self.kills = []
        self.steps = 0
        self.arms = 0
        self.calls = {role: [] for role in ROLES}  # in each step

    def __enter__(self):
        self.i.__enter__()
        return self

    def __exit__(self, *how):
        return self.i.__exit__(*how)

    def begin(self):
        begin_cohorts(self.i)
        self.own = Own(self.i)

    # ---- one step

    def arm(self):
        if self.control.armed:
            return  # it did not come to that call yet
        self.arms += 1
        role = ROLES[1 + self.arms % 4]
        recent = self.calls[role][-8:] or [20]
        k = self.random.randint(1, max(1, sum(recent) // len(recent)))
        again = self.random.randint(1, START_CALLS) if self.random.random() < AGAIN else 0
        self.victim = (role, k, self.random.randint(0, 1), again)
        self.control.arm(role, self.victim[2], k, again)

    def advance(self, to):
        """The same command again until it is through: the database may be gone under it too."""
        end = time.monotonic() + STEP_LIMIT_S
        words = [str(SAATTO), "clock", "advance", "--to", f"{to} 00:00", "--timeout", str(STEP_LIMIT_S), "--var", str(self.i.var)]
        child = subprocess.Popen(words, env=self.i.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
        self.own.receive(STEP_LIMIT_S)
        said, tries = child.communicate(timeout=2 * STEP_LIMIT_S)[0], 1
        while child.returncode != 0:
            if time.monotonic() > end:
                raise TimeoutError(f"the clock does not advance to {to}: {said[-500:]}")
            child = subprocess.run(words, env=self.i.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, timeout=2 * STEP_LIMIT_S)
            said, tries = child.stdout, tries + 1
        return tries

    def step(self, to):
        before = {role: self.control.calls(role) for role in ROLES}
        self.arm()
        started = time.monotonic()
        self.own.send()
        tries = self.advance(to)
        self.steps += 1
        for role in ROLES:
            self.calls[role].append(self.control.calls(role) - before[role])
        if self.control.fired > len(self.kills):
            role, k, after, again = self.victim
            self.control.disarm()
            self.kills += [role] * (self.control.fired - len(self.kills))
            self.check()
            print(f"kill {len(self.kills)}: {role} {'after' if after else 'before'} call {k}{f' and {again} more' if again else ''}, "
                  f"on the way to {to}; through in {time.monotonic() - started:.2f} s, {tries} tries", flush=True)

    # ---- what must hold

    def check(self):
        """A backend may have died at the last call of the step: then the database is gone under the check too."""
        end = time.monotonic() + STEP_LIMIT_S
        while True:
            try:
                return self.check_once()
            except (Failed, Unreachable) as e:
                if getattr(e, "status", None) == DIFFERENT or time.monotonic() > end:
                    raise
                select_briefly()

    def check_once(self):
        audit = self.i.json("audit", "replay")
        assert audit["ok"] and audit["differences"] == 0, audit
        rows = query(self.i, CHECKS, self.own.client.stream)
        for what, n in ((r[0], int(r[1])) for r in rows if r[0] in ("twice", "holes", "log")):
            assert n == 0, f"{n} {what} in the log"
        self.check_own({(int(r[1]), int(r[2])): (int(r[3]), r[4]) for r in rows if r[0] == "own"})
        self.check_marks({tuple(r[1:5]): int(r[5]) for r in rows if r[0] == "mark"})
        summary = self.i.json("report", "summary")
        assert summary["clients_without_responsible"] == 0, summary

    def check_own(self, stored):
        """What was receipted stands there once ('twice' sees to that), with the leaf that the receipt named."""
        answers = self.own.client.answers
        assert set(answers) == set(self.own.codes) == set(stored), "events that were receipted, sent and stored differ"
        for key, expected in self.own.codes.items():
            code, _, leaf = answers[key]
            assert (code != 0) == (expected is None), (key, code, expected)
            assert stored[key] == (code, leaf.hex()), (key, stored[key], code, leaf.hex())

    def check_marks(self, now):
        for mark, value in self.marks.items():
            assert now.get(mark, -1) >= value, f"{mark} went back from {value} to {now.get(mark)}"
        self.marks = now

    def no_other_ends(self):
        """Nobody died by a signal but those that were killed: a failed assertion would be restarted too."""
        logs = "".join(log.read_text() for log in (self.i.var / "log").glob("*.log"))
        signals = re.findall(r"event=child_ended role=\w+ pid=\d+ signal=([1-9]\d*)", logs)
        statuses = re.findall(r"event=child_ended name=\S+ status=(\d+)", logs)
        ended = [int(n) for n in signals] + [int(n) & 127 for n in statuses if int(n) & 127]
        killed = sum(role != "backend" for role in self.kills)
        assert ended == [signal.SIGKILL] * killed, (killed, ended)

    def compare(self, other):
        assert other.error is None, other.error
        mine = results(self.i, self.own.client.stream)
        assert mine["outcomes"] == other.results["outcomes"], (mine["outcomes"], other.results["outcomes"])
        a, b = mine["story"], other.results["story"]
        assert len(a) == len(b), f"{len(a)} events here, {len(b)} without kills"
        # Events of one instant are told apart by microseconds in the order of their arrival, and a reaction is counted from
        # there in whole minutes: so a minute may tip over. More than that would be another story.
        other_story = [(x, y) for x, y in zip(a, b) if x[:3] != y[:3] or abs(int(x[3]) - int(y[3])) > TIP_S]
        assert not other_story, f"(here, without kills): {other_story[:5]}"

    # ---- the whole

    def run(self):
        days = (END - BEGIN).days
        for n in range(1, STEPS + 1):
            self.step(BEGIN + datetime.timedelta(days=days * n // STEPS))
        self.control.disarm()
        self.check()


@contextlib.contextmanager
def folder():
    """A folder in memory, or in SAATTO_TMP; what a failure leaves to read goes to SAATTO_TMP."""
    memory = pathlib.Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    path = pathlib.Path(tempfile.mkdtemp(prefix="saatto-crash-", dir=memory if roomy else os.environ["SAATTO_TMP"]))
    path.chmod(0o755)
    try:
        yield path
    except BaseException:
        kept = pathlib.Path(os.environ["SAATTO_TMP"]) / path.name
        shutil.copytree(path, kept, ignore=lambda _, names: {"data", "s", "run", "killpoint"} & set(names))
        print(f"logs: {kept}", file=sys.stderr)
        raise
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sweep_once(seed, report):
    print(f"seed {seed}", flush=True)
    failed_before = report.failed
    with folder() as path, Sweep(seed, path) as sweep:
        undisturbed = Undisturbed(path, sweep.i.var / "keys")
        report.attempt("crash: the demo goes on after every kill, and the invariants hold", lambda: (sweep.begin(), sweep.run()))
        by_role = {role: sweep.kills.count(role) for role in ROLES[1:]}
        print(f"{len(sweep.kills)} kills in {sweep.steps} steps: {by_role}", flush=True)
        report.check(f"crash: at least {KILLS} processes were killed", len(sweep.kills) >= KILLS, f"{len(sweep.kills)}")
        report.attempt("crash: nobody else died", sweep.no_other_ends)
        undisturbed.join()
        if report.attempt("crash: the outcomes equal the published ones", lambda: sweep.i.run("report", "outcomes")):
            report.attempt("crash: the same events at the same times as without kills", lambda: sweep.compare(undisturbed))
        if report.failed > failed_before:
            raise SystemExit(1)  # past folder(), which keeps the logs


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the installation is stopped
    given = os.environ.get("SAATTO_SEED")
    budget_s = int(os.environ.get("SAATTO_BUDGET", "0")) if os.environ.get("SAATTO_NIGHTLY") else 0
    started, longest, report = time.monotonic(), 0, Report()
    while True:
        begun = time.monotonic()
        sweep_once(int(given or random.SystemRandom().randrange(1 << 32)), report)
        longest = max(longest, time.monotonic() - begun)
        if time.monotonic() - started + longest > budget_s:
            return 0


if __name__ == "__main__":
    sys.exit(main())
