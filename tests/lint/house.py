#!/usr/bin/python3
# SPDX-License-Identifier: EUPL-1.2
"""The house rules that no compiler knows. Prints `ok` or `not ok` for each, with what breaks it.

Layering: lib <- core <- proto <- broker, workers, cli. cmake/SaattoLayers.cmake keeps headers out
of reach through what a target may link; this reads the #include lines themselves.

`--self-test` feeds each rule something that breaks it and something that does not.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

LAYERS = {
    "lib": {"lib"},
    "core": {"lib", "core"},
    "proto": {"lib", "core", "proto"},
    "broker": {"lib", "core", "proto", "broker"},
    "workers": {"lib", "core", "proto", "workers"},
    "cli": {"lib", "core", "proto", "cli"},
}
# The adapter library is published: its one header may be included by the command line too.
PUBLISHED = "saatto.h"
SOCKETS = r"(zmq|czmq|libpq-fe|microhttpd|sys/socket|netinet/in|arpa/inet)\.h$"
MAY_NOT_INCLUDE = {
    "lib": SOCKETS + r"|protobuf-c|\.pb-c\.h$",
    "core": SOCKETS + r"|protobuf-c|\.pb-c\.h$|pthread\.h$|sys/(stat|epoll|select)\.h$|poll\.h$",
    "proto": SOCKETS,
}
# core/ does no I/O, reads no clock, draws no chance: calls that would.
IMPURE = re.compile(
    r"(?<![\w.>])(time|clock|clock_gettime|gettimeofday|fopen|open|socket|getenv|rand|random|"
    r"randombytes_buf|randombytes_random|nanosleep|pthread_create|sto_real_us|sto_mono_us)\s*\(")
SLEEP = re.compile(
    r"(?<![\w.])(sleep|usleep|nanosleep|clock_nanosleep|zclock_sleep|pg_sleep)\s*\(|"
    r"\btime\.sleep\b|\bfrom time import .*\bsleep\b|\basyncio\.sleep\b|setTimeout\(|waitForTimeout")
SHELL_SLEEP = re.compile(r"(^|[;&|(]|\bdo|\bthen|\belse)\s*sleep\s")
# libsaatto and the samples, so that an adapter may be under any licence.
APACHE = ("workers/include/", "workers/samples/", "samples/", "workers/saatto", "workers/sendlog.",
          "workers/intake.")
LINES_MAX = 800
FUNCTION_LINES_MAX = 70


def without_comments(text):
    """C text with comments and string literals blanked, line for line."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(\\.|[^"\\\n])*"|\'(\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[1] == '"', match[2]


def layering(files):
    """files: path relative to the root -> text."""
    homes = {}
    for path in files:
        if path.endswith(".h"):
            homes.setdefault(path.rsplit("/", 1)[-1], set()).add(path.split("/")[0])
    for name, layers in homes.items():
        if len(layers) > 1:
            yield f"{name}: a header of that name is in {' and '.join(sorted(layers))}"
    for path, text in files.items():
        layer = path.split("/")[0]
        if layer not in LAYERS:
            continue
        forbidden = MAY_NOT_INCLUDE.get(layer)
        for number, quoted, name in includes(text):
            where = f"{path}:{number}"
            if ".." in name.split("/"):
                yield f"{where}: '{name}' reaches out of its folder"
            if forbidden and re.search(forbidden, name):
                yield f"{where}: {layer}/ may not include '{name}'"
            if not quoted and name.rsplit("/", 1)[-1] not in homes:
                continue
            if name == PUBLISHED and layer == "cli":
                continue
            for home in homes.get(name.rsplit("/", 1)[-1], set()) - LAYERS[layer]:
                if home in LAYERS and (quoted or "/" not in name):
                    yield f"{where}: {layer}/ may not include '{name}' of {home}/"


def purity(files):
    for path, text in files.items():
        if path.startswith("core/"):
            for number, line in enumerate(without_comments(text).splitlines(), 1):
                match = IMPURE.search(line)
                if match and not line.lstrip().startswith("#"):
                    yield f"{path}:{number}: core/ may not call {match[1]}()"


def sleeping(files):
    for path, text in files.items():
        if not path.startswith("tests/") or path in ("tests/run", "tests/lint/house.py"):
            continue
        is_c = path.endswith((".c", ".h"))
        body = without_comments(text) if is_c else re.sub(r"(?m)^\s*(#|//).*$", "", text)
        is_shell = not is_c and text.startswith("#!") and "sh" in text.split("\n", 1)[0]
        for number, line in enumerate(body.splitlines(), 1):
            if (SHELL_SLEEP if is_shell else SLEEP).search(line):
                yield f"{path}:{number}: a test sleeps; wait on an event or move the clock"


def licences(files):
    for path, text in files.items():
        if path.endswith((".c", ".h")):
            licence = "Apache-2.0" if path.startswith(APACHE) else "EUPL-1.2"
            if f"SPDX-License-Identifier: {licence}" not in "\n".join(text.splitlines()[:3]):
                yield f"{path}: its first lines do not say SPDX-License-Identifier: {licence}"


def sizes(files):
    for path, text in files.items():
        if not path.endswith((".c", ".h")) or path.split("/")[0] not in LAYERS:
            continue
        lines = without_comments(text).splitlines()
        if len(lines) > LINES_MAX:
            yield f"{path}: {len(lines)} lines, more than {LINES_MAX}; split it"
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    yield (f"{path}:{start}: a function of {number - start - 1} lines, more than "
                           f"{FUNCTION_LINES_MAX}; split it")
                start = None


def shell_syntax(files):
    for path, text in files.items():
        if text.startswith("#!") and re.match(r"#!.*\b(ba|da)?sh\b", text.split("\n", 1)[0]):
            done = subprocess.run(["bash", "-n", str(ROOT / path)], capture_output=True, text=True)
            if done.returncode:
                yield f"{path}: {done.stderr.strip()}"


def python_syntax(files):
    for path, text in files.items():
        if path.endswith(".py"):
            try:
                compile(text, path, "exec")
            except SyntaxError as err:
                yield f"{path}:{err.lineno}: {err.msg}"


RULES = [
    (layering, "each layer includes only itself and the layers below"),
    (purity, "core does no I/O and reads no clock"),
    (sleeping, "no test sleeps"),
    (licences, "every C file names its licence"),
    (sizes, "no C file or function is longer than its limit"),
    (shell_syntax, "every shell script parses"),
    (python_syntax, "every Python file parses"),
]

# rule, files that break it, files that do not
PLANTED = [
    (layering, {"core/a.c": "#include <zmq.h>\n"}, {"broker/a.c": "#include <zmq.h>\n"}),
    (layering, {"core/a.c": "#include <libpq-fe.h>\n"}, {"broker/a.c": "#include <libpq-fe.h>\n"}),
    (layering, {"core/a.c": "#include <protobuf-c/protobuf-c.h>\n"},
     {"proto/a.c": "#include <protobuf-c/protobuf-c.h>\n"}),
    (layering, {"core/a.c": '#include "gate.h"\n', "broker/gate.h": ""},
     {"broker/a.c": '#include "engine.h"\n', "core/engine.h": ""}),
    (layering, {"broker/a.c": '#include "adapter.h"\n', "workers/adapter.h": ""},
     {"cli/a.c": '#include "saatto.h"\n', "workers/include/saatto.h": ""}),
    (layering, {"lib/a.c": '#include "../core/engine.h"\n'}, {"lib/a.c": '#include "sto_err.h"\n'}),
    (layering, {"lib/a.h": "", "core/a.h": ""}, {"lib/a.h": "", "core/b.h": ""}),
    (purity, {"core/a.c": "x = time(NULL);\n"}, {"core/a.c": "/* time(NULL) */ x = due_time(c);\n"}),
    (sleeping, {"tests/a.c": "usleep(10);\n"}, {"tests/a.c": "/* never usleep(10) */\n"}),
    (sleeping, {"tests/a": "#!/bin/bash\nfoo; sleep 1\n"}, {"tests/a": "#!/bin/bash\n# sleep 1\n"}),
    (sleeping, {"tests/a.py": "time.sleep(1)\n"}, {"tests/a.py": "time.monotonic()\n"}),
    (licences, {"lib/a.c": "int a;\n"}, {"lib/a.c": "/* SPDX-License-Identifier: EUPL-1.2 */\n"}),
    (licences, {"workers/include/a.h": "/* SPDX-License-Identifier: EUPL-1.2 */\n"},
     {"workers/include/a.h": "/* SPDX-License-Identifier: Apache-2.0 */\n"}),
    (sizes, {"lib/a.c": "\n" * 801}, {"lib/a.c": "\n" * 800}),
    (sizes, {"lib/a.c": "int f(void)\n{\n" + "x();\n" * 71 + "}\n"},
     {"lib/a.c": "int f(void)\n{\n" + "x();\n" * 70 + "}\n"}),
]


def self_test():
    for rule, bad, good in PLANTED:
        if not list(rule(bad)):
            yield f"{rule.__name__} does not see {bad}"
        if list(rule(good)):
            yield f"{rule.__name__} objects to {good}: {list(rule(good))}"


def tracked():
    """What git tracks or would track, as path -> text; binaries left out."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True)
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
    else:  # an unpacked source archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if not p.relative_to(ROOT).parts[0].startswith(("build", ".git", "var"))]
    files = {}
    for name in sorted(set(filter(None, names))):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
            data = path.read_bytes()
            if b"\0" not in data:
                files[name] = data.decode("utf-8", "replace")
    return files


def main():
    verdicts = []
    if sys.argv[1:] == ["--list-c"]:
        print("\n".join(name for name in tracked() if name.endswith((".c", ".h"))))
        return
    files = tracked()
    for rule, claim in RULES:
        verdicts.append((claim, list(rule(files))))
    verdicts.append(("every house rule sees what is planted against it", list(self_test())))
    for claim, findings in verdicts:
        for finding in findings:
            print("  " + finding)
        print(("not ok " if findings else "ok ") + "lint: " + claim)


main()
