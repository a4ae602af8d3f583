"""The kills of checks/checkpoint.sh: run.py PROGRAM SEED KILLS [OPTIMIZER...].

Each study has one optimizer, one network and six models of some twenty steps, and saves after every step. A kill waits until the n-th checkpoint
of the process is half written, or written and not yet under its name, n at random, and sends SIGKILL.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = str(Path(sys.argv[1]).resolve())
SEED, KILLS = (int(a) for a in sys.argv[2:4])
DICE = random.Random(SEED)
FAILURES = []
PATIENCE = 300

# Networks by kind, with the optimizers that take examples of a batch apart only where no norm ties them together.
TIED = {
    "dense": 'preset = "mlp"\nwidth = 0.1',
    "convolutional": 'preset = "cnn"\nwidth = 0.1',
    "residual with batch norm": 'preset = "resnet8"\nwidth = 0.25',
    "group norm and dropout": 'layers = ["conv 4", "group-norm 2", "relu", "flatten", "dropout 0.25", "linear 8", "relu", "linear"]',
}
SPLITS = {"esam", "m-sam", "dp-sgd", "dp-sat"}
PRIVATE = {"dp-sgd", "dp-sat"}


def fail(what):
    FAILURES.append(what)
    print("FAILED", what, flush=True)


def optimizers():
    text = subprocess.run([PROGRAM, "list", "optimizers"], capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in text.splitlines() if line and line[0].isalpha()]
    return [name for name in names if name in sys.argv[4:] or not sys.argv[4:]]


def study(optimizer, network):
    """A study that draws all random numbers that its optimizer allows."""
    lines = ['models = 6', 'pool = 60', 'test = 20', 'data = ["digits"]', "[model]", TIED[network], "[train]", "epochs = 5", "batch = 8"]
    lines += ["[[recipe]]", 'name = "a"', f'optimizer = "{optimizer}"']
    if optimizer in PRIVATE:
        lines.append("delta = 0.01")
    else:
        lines.append('augment = ["crop 1", "mirror"]')
    if optimizer not in SPLITS:
        lines.append("mixup = 1")
    return "\n".join(lines) + "\n"


def start(folder, out, *more, **environment):
    command = [PROGRAM, "compare", "study.toml", "--out", out, "--workers", "1", *more]
    env = {**os.environ, **environment}
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def completed(folder, out, *more):
    child = start(folder, out, *more)
    _, said = child.communicate(timeout=PATIENCE)
    return child.returncode, said.decode(errors="replace")


def content(folder):
    """Digests of all files of models."""
    files = sorted(p for p in (folder / "models").rglob("*") if p.is_file() and not p.name.endswith(".tmp"))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def killed(folder, out, saves):
    """Kills a run at a random one of its next checkpoints; whether it was still running."""
    mark = folder / "mark"
    mark.unlink(missing_ok=True)
    point = DICE.choice(["checkpoint-write", "checkpoint-rename"])
    pause = {"FLATLEAK_PAUSE_AT": f"{point}:{DICE.randint(1, saves)}", "FLATLEAK_PAUSE_MARK": str(mark)}
    child = start(folder, out, "--checkpoint", "0.000001s", **pause)
    end = time.time() + PATIENCE
    while not mark.exists() and child.poll() is None and time.time() < end:
        time.sleep(0.005)
    running = child.poll() is None
    child.kill()
    child.communicate()
    return running


def kills():
    pairs = count = 0
    for network in TIED:
        for optimizer in optimizers():
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "study.toml").write_text(study(optimizer, network))
                code, said = completed(folder, "whole", "--checkpoint", "off")
                if code == 2 and optimizer in SPLITS:
                    continue
                if code != 0:
                    fail(f"{optimizer}, {network}: exit code {code}: {said}")
                    continue
                # Six models of twenty steps: the last kill is before the last step.
                done = sum(killed(folder, "killed", 6 * 20 // KILLS) for _ in range(KILLS))
                if done < KILLS:
                    fail(f"{optimizer}, {network}: only {done} of {KILLS} kills met a run")
                code, said = completed(folder, "killed")
                if code != 0:
                    fail(f"{optimizer}, {network}: exit code {code} after kills: {said}")
                elif content(folder / "killed") != content(folder / "whole"):
                    fail(f"{optimizer}, {network}: other bytes")
                pairs, count = pairs + 1, count + done
    print(f"{count} kills, {pairs} pairs of optimizer and network, equal bytes", flush=True)


def spent(child):
    """Seconds that a process was on processors."""
    fields = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stops():
    """Signals in the middle of an epoch of minutes: what counts is the processor time from there to the end, whatever else the machine does."""
    lines = ["models = 6", "pool = 5000", "test = 20", 'data = ["letter"]', "[model]", 'layers = ["flatten", "linear 4096", "relu", "linear 4096", "relu", "linear"]']
    lines += ["[train]", "epochs = 2", "batch = 8", "[[recipe]]", 'name = "a"']
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "study.toml").write_text("\n".join(lines) + "\n")
            child = start(folder, "run")
            while spent(child) < 4:
                time.sleep(0.05)
            begun, before = time.time(), spent(child)
            child.send_signal(which)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            child.stderr.close()
            wall, took = time.time() - begun, usage.ru_utime + usage.ru_stime - before
            saved = list((folder / "run").rglob("checkpoint.safetensors"))
            if child.returncode != 5 or took > 5 or not saved:
                fail(f"{which.name}: exit code {child.returncode} after {took:.2f} s on processors, {len(saved)} checkpoints")
            else:
                size = saved[0].stat().st_size >> 20
                print(f"{which.name}: stopped after {took:.2f} s on processors ({wall:.1f} s), {size} MB saved", flush=True)


kills()
stops()
print("failures:", len(FAILURES))
sys.exit(1 if FAILURES else 0)
