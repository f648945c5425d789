# SPDX-License-Identifier: EUPL-1.2
"""An installation of its own for a test: private PostgreSQL, broker, perhaps workers, on free ports of loopback."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SAATTO_BUILD", ROOT / "build"))
SAATTO = BUILD / "bin" / "saatto"


class Failed(Exception):
    """A command line that did not end as expected; holds its output."""

    def __init__(self, words, status, out, err):
        super().__init__(f"saatto {' '.join(map(str, words))} ended with {status}\n{out[-2000:]}{err[-2000:]}")
        self.status, self.out, self.err = status, out, err


class Installation:
    def __init__(self, *options, env=None, preload=None, base=None, keys=None):
        base = base or os.environ.get("SAATTO_TMP")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="i-", dir=base))
        self.folder.chmod(0o755)
        self.var = self.folder / "var"
        if keys:  # of another installation: the same organisations, so the same case ids
            shutil.copytree(keys, self.var / "keys")
        self.env = dict(os.environ, **(env or {}))
        self.env.pop("SAATTO_VAR", None)
        dev_env = dict(self.env)
        if preload:
            dev_env["LD_PRELOAD"] = str(preload)
        self.up = False
        self.run("dev", "--detach", *options, env=dev_env, timeout=120)
        self.up = True
        self.info = json.loads((self.var / "saatto.json").read_text())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"kept for reading: {self.folder}", file=sys.stderr)

    def stop(self):
        if self.up:
            self.up = False
            try:
                self.run("dev", "--stop", timeout=60)
            except Exception:  # whatever is wrong with that program: leave nothing running
                os.kill(self.info["pids"]["dev"], signal.SIGTERM)
                raise

    def run(self, *words, status=0, env=None, timeout=60, text=None):
        """Runs `saatto WORDS --var …`; returns its standard output. status None: any."""
        done = subprocess.run([str(SAATTO), *map(str, words), "--var", str(self.var)], env=env or self.env, cwd=ROOT, input=text,
                              stdin=None if text is not None else subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if status is not None and done.returncode != status:
            raise Failed(words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words, **more):
        return json.loads(self.run(*words, "-o", "json", **more))

    def key(self, name):
        """(public, secret) of an organisation."""
        lines = (self.var / "keys" / f"{name}.key").read_text().split()
        return lines[0], lines[1]

    def new_key(self):
        import zmq
        public, secret = zmq.curve_keypair()
        return public.decode(), secret.decode()

    def metric(self, name):
        """Sum of a metric over its labels, by label text: {labels: value}."""
        import urllib.request
        http = self.info["http"]
        with urllib.request.urlopen(f"http://{http}/metrics", timeout=10) as page:
            text = page.read().decode()
        out = {}
        for line in text.splitlines():
            if line.startswith(name) and line[len(name):len(name) + 1] in ("{", " "):
                labels, value = line[len(name):].rsplit(" ", 1)
                out[labels.strip()] = float(value)
        return out

    def ready(self, timeout_s=30):
        """Waits for /readyz (each question waits for its answer)."""
        import urllib.error
        import urllib.request
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://{self.info['http']}/readyz", timeout=5) as page:
                    if page.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            select_briefly()
        raise TimeoutError("the broker did not get ready")


def select_briefly():
    """A poll interval while waiting for another process's event that has no descriptor of its own."""
    import select
    select.select([], [], [], 0.02)


class Report:
    """Counts `ok` and `not ok` lines in the form that tests/run reads."""

    def __init__(self):
        self.failed = 0

    def check(self, name, condition, detail=""):
        print(f"{'ok' if condition else 'not ok'} {name}", flush=True)
        if not condition:
            self.failed += 1
            print(f"# {name}: {detail}", file=sys.stderr, flush=True)
        return condition

    def attempt(self, name, function):
        """A test as a function: passes unless it raises."""
        try:
            function()
        except Exception as e:  # every kind of failure is a failed test
            import traceback
            traceback.print_exc()
            return self.check(name, False, repr(e))
        return self.check(name, True)
