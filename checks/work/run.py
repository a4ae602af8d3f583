"""Scenes of many workers at one run; see checks/work.sh."""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BEAT = 1.0
# Where a worker is killed: while weights and signals are written, before they have their names, and at its own small files.
POINTS = ["weights-write", "weights-rename", "signals-write", "signals-rename"]


class Failed(Exception):
    """A scene did not end as it has to."""


def check(is_so, what):
    if not is_so:
        raise Failed(what)


class Scene:
    """A study in a folder of its own, with the program under test."""

    def __init__(self, program, seed, tasks):
        self.program = str(Path(program).resolve())
        self.random = random.Random(seed)
        self.models = max(6, tasks // 2 + tasks // 2 % 2)
        self.folder = Path(tempfile.mkdtemp(prefix="flatleak-work-"))
        self.study = self.folder / "study.toml"

    def write(self, text):
        self.study.write_text(text)

    def engine_study(self, epochs=60):
        self.write(
            f"models = {self.models}\npool = 60\n[train]\nepochs = {epochs}\n[[recipe]]\nname = 'sgd'\n"
            "[[recipe]]\nname = 'sam'\noptimizer = 'sam'\n"
        )

    def flatleak(self, *words, program=None, env=None, check_code=None):
        done = subprocess.run([program or self.program, *map(str, words)], capture_output=True, text=True, env=env)
        if check_code is not None and done.returncode != check_code:
            raise Failed(f"{words}: code {done.returncode}, not {check_code}: {done.stderr}")
        return done

    def prepare(self, run):
        self.flatleak("compare", self.study, "--out", run, "--prepare", "--beat", f"{BEAT}s", check_code=0)

    def worker(self, run, *more, point=None, simd=None, program=None):
        env = dict(os.environ)
        if point:
            env["FLATLEAK_PAUSE_AT"] = point
            env["FLATLEAK_PAUSE_MARK"] = str(self.folder / f"mark-{self.random.getrandbits(48)}")
        if simd:
            env["FLATLEAK_SIMD"] = simd
        command = [program or self.program, "work", str(run), "--workers", "1", *more]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env)
        child.mark = Path(env["FLATLEAK_PAUSE_MARK"]) if point else None
        return child

    def status(self, run):
        return json.loads(self.flatleak("status", run, "--json", check_code=0).stdout)

    def collect(self, run, code=0):
        return self.flatleak("compare", self.study, "--out", run, "--no-train", check_code=code)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def results(run):
    found = json.loads((run / "results.json").read_text())
    return {key: value for key, value in found.items() if key not in ("machine", "timings")}


def models(run):
    found = {}
    for path in sorted((run / "models").rglob("*.safetensors")):
        # One of two workers at a model may leave its checkpoint after the other was done.
        if path.stem != "checkpoint":
            found[str(path.relative_to(run))] = path.read_bytes()
    return found


def ends(run):
    return {path.name: json.loads(path.read_text()) for path in (run / "work/ends").glob("*.json")}


def is_complete(scene, run, alone):
    """Every model is there once, with the bytes of one machine, and so are the results."""
    check(models(run) == models(alone), "models differ from those of one machine")
    left = [str(path) for path in run.rglob(".*.tmp") if "models" in path.parts]
    scene.collect(run)
    check(results(run) == results(alone), "results differ from those of one machine")
    new = {}
    for name, end in ends(run).items():
        check(end["outcome"] != "bits-differ", f"{name}: bits differ")
        if end.get("published") == "new":
            task = name.rsplit(".", 2)[0]
            new[task] = new.get(task, 0) + 1
    check(all(count == 1 for count in new.values()), f"published twice: {new}")
    leases = len(list((run / "work/leases").iterdir()))
    done = sum(1 for end in ends(run).values() if end["outcome"] == "done")
    return f"{len(new)} published by an attempt that said so, {leases} attempts, {done} ended well, {len(left)} unfinished files of the killed"


def equal(scene):
    """Four processes, two of them without vector instructions, against one machine."""
    scene.engine_study()
    run, alone = scene.folder / "run", scene.folder / "alone"
    scene.flatleak("compare", scene.study, "--out", alone, check_code=0)
    scene.prepare(run)
    workers = [scene.worker(run, simd=simd) for simd in ("scalar", "avx2", None, "scalar")]
    for worker in workers:
        _, said = worker.communicate()
        check(worker.returncode == 0, said)
    return is_complete(scene, run, alone)


def chaos(scene):
    """Workers that are killed at pause points, silent for longer than five beats, and asked to stop, until all is done."""
    scene.engine_study()
    run, alone = scene.folder / "run", scene.folder / "alone"
    scene.flatleak("compare", scene.study, "--out", alone, check_code=0)
    scene.prepare(run)
    counts = {"kill": 0, "silence": 0, "term": 0, "usr1": 0, "until": 0, "calm": 0}
    workers, silent = [], []
    end = time.time() + 1800
    draw = scene.random
    while True:
        check(time.time() < end, "never done")
        for worker in [w for w in workers if w.poll() is not None]:
            said = worker.stderr.read()
            check(worker.returncode in (0, 5, -9), f"code {worker.returncode}: {said}")
            workers.remove(worker)
        if not workers and scene.status(run)["done"] == 2 * scene.models:
            break
        while len(workers) < 4:
            kind = draw.choice(["kill", "kill", "silence", "term", "usr1", "until", "calm"])
            tame = sum(counts.values()) > 2 * scene.models
            if kind == "kill" and not tame:
                names = [f"{r}.{draw.randrange(scene.models):04}" for r in ("sgd", "sam")]
                small = [f"{names[0]}-write", f"{names[1]}-rename", f"{names[0]}.1-rename"]
                worker = scene.worker(run, point=f"{draw.choice(POINTS + small)}:{draw.randint(1, 3)}")
            elif kind == "until" and not tame:
                worker = scene.worker(run, "--until", f"{draw.uniform(0.3, 3):.2f}s")
                counts["until"] += 1
            else:
                worker = scene.worker(run)
                counts["calm"] += kind == "calm"
            worker.kind = "calm" if tame else kind
            worker.due = time.time() + draw.uniform(0.5, 3)
            workers.append(worker)
        time.sleep(0.05)
        for worker in workers:
            if worker.mark and worker.mark.exists():
                worker.kill()
                worker.wait()
                counts["kill"] += 1
            elif time.time() > worker.due and worker.kind in ("term", "usr1"):
                worker.send_signal(signal.SIGTERM if worker.kind == "term" else signal.SIGUSR1)
                counts[worker.kind] += 1
                worker.kind = "ending"
            elif time.time() > worker.due and worker.kind == "silence":
                worker.send_signal(signal.SIGSTOP)
                counts["silence"] += 1
                worker.kind = "silent"
                silent.append((worker, time.time() + 8 * BEAT))
        for worker, wake in list(silent):
            if time.time() > wake:
                worker.send_signal(signal.SIGCONT)
                silent.remove((worker, wake))
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{2 * scene.models} tasks; {said}; {is_complete(scene, run, alone)}"


def command(scene, script, models=None):
    """A study whose models a shell script trains, from logits that lie ready."""
    models = models or scene.models
    data = scene.folder / "logits"
    data.mkdir()
    for name, n in (("a", 40), ("b", 20)):
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, 10), }}\n".encode()
        for model in range(models):
            values = [((k * 37 + model * 11) % 23) / 4 for k in range(n * 10)]
            body = b"".join(__import__("struct").pack("<f", v) for v in values)
            (data / f"{name}{model}.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body)
    train = scene.folder / "train.sh"
    train.write_text(f"{script}\ncp {data}/a$1.npy \"$2/logits.npy\"; cp {data}/b$1.npy \"$2/test_logits.npy\"\n")
    scene.write(
        f"models = {models}\npool = 40\ntest = 20\ndata = 'digits'\n[[recipe]]\nname = 'a'\n"
        f"trainer = 'sh {train} {{index}} {{out}} {{mask}}'\n"
    )


def failing(scene):
    """One command that always fails, among all others."""
    command(scene, f"if [ $1 = 3 ] && [ ! -e {scene.folder}/mended ]; then echo out of paper; exit 9; fi")
    run = scene.folder / "run"
    scene.prepare(run)
    workers = [scene.worker(run) for _ in range(3)]
    for worker in workers:
        _, said = worker.communicate()
        check(worker.returncode == 1 and "given up" in said, f"{worker.returncode}: {said}")
    status = scene.status(run)
    check(status["done"] == scene.models - 1 and status["given_up"] == 1, str(status))
    check(status["failed"][0]["said"] == ["out of paper"], str(status))
    tries = sum(1 for end in ends(run).values() if end["outcome"] == "failed")
    check(tries == 3, f"{tries} tries")
    check("1 models are missing" in " ".join(scene.collect(run, 3).stderr.split()), "collected without a model")
    (scene.folder / "mended").touch()
    scene.flatleak("compare", scene.study, "--out", run, check_code=0)
    return f"{scene.models - 1} tasks done beside one that failed 3 times; done once it was mended"


def limit(scene):
    """A time limit shorter than a model, of a command that keeps no checkpoint: restarts are bounded."""
    command(scene, "sleep 60", 6)
    run = scene.folder / "run"
    scene.prepare(run)
    codes = []
    while len(codes) < 200:
        codes.append(scene.flatleak("work", run, "--workers", "6", "--until", "0.5s").returncode)
        check(codes[-1] in (1, 5), f"code {codes[-1]}")
        if codes[-1] == 1:
            break
    status = scene.status(run)
    check(status["given_up"] == 6 and "no attempt came to an end" in str(status["failed"]), str(status))
    return f"given up after {len(codes)} restarts, {len(ends(run))} attempts"


def steps(scene):
    """A time limit shorter than a model of the engine: it goes on from its checkpoint, and ends."""
    scene.models = 6
    scene.engine_study(3000)
    run, alone = scene.folder / "run", scene.folder / "alone"
    scene.flatleak("compare", scene.study, "--out", alone, check_code=0)
    scene.prepare(run)
    restarts = 0
    while scene.flatleak("work", run, "--workers", "1", "--until", "2s").returncode == 5:
        restarts += 1
        check(restarts < 500, "never done")
    return f"done after {restarts} restarts; {is_complete(scene, run, alone)}"


def binary(scene):
    """Another program is refused, accepted by its digest, and gives the same."""
    scene.engine_study(2)
    run, alone = scene.folder / "run", scene.folder / "alone"
    other = scene.folder / "other"
    other.write_bytes(Path(scene.program).read_bytes() + b"\0")
    other.chmod(0o755)
    scene.flatleak("compare", scene.study, "--out", alone, check_code=0)
    scene.prepare(run)
    refused = scene.flatleak("work", run, program=str(other), check_code=2).stderr.split()
    digest = refused[refused.index("--accept-binary") + 1]
    scene.flatleak("work", run, "--accept-binary", digest, program=str(other), check_code=0)
    scene.flatleak("work", run, check_code=0)
    return f"refused, then accepted as {digest}; {is_complete(scene, run, alone)}"


def cancelled(scene):
    """Cancelled while four work, collected too early, and resumed."""
    scene.engine_study(200)
    run, alone = scene.folder / "run", scene.folder / "alone"
    scene.flatleak("compare", scene.study, "--out", alone, check_code=0)
    scene.prepare(run)
    workers = [scene.worker(run) for _ in range(4)]
    while not scene.status(run)["done"]:
        time.sleep(0.1)
    scene.flatleak("cancel", run, check_code=0)
    begun = time.time()
    for worker in workers:
        _, said = worker.communicate()
        check(worker.returncode == 5, f"{worker.returncode}: {said}")
    took = time.time() - begun
    before = scene.status(run)["done"]
    check(before < 2 * scene.models, "all were done before")
    scene.collect(run, 3)
    scene.flatleak("work", run, check_code=5)
    scene.flatleak("cancel", run, "--undo", check_code=0)
    scene.flatleak("work", run, check_code=0)
    return f"stopped in {took:.1f} s with {before} of {2 * scene.models} done; {is_complete(scene, run, alone)}"


def full(scene):
    """A disk that is full while four work; with room again all is done."""
    disk = scene.folder / "disk"
    disk.mkdir()
    mount = lambda *options: subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(disk)], capture_output=True).returncode == 0
    if not mount("-o", "size=24m"):
        return "skipped: no file system can be mounted"
    try:
        scene.engine_study(2)
        run, alone = disk / "run", scene.folder / "alone"
        scene.flatleak("compare", scene.study, "--out", alone, check_code=0)
        scene.prepare(run)
        workers = [scene.worker(run) for _ in range(4)]
        for worker in workers:
            _, said = worker.communicate()
            check(worker.returncode == 7 and "No space left" in said, f"{worker.returncode}: {said}")
        whole = models(alone)
        check(all(whole[name] == found for name, found in models(run).items()), "half a model")
        count = len(models(run))
        check(mount("-o", "remount,size=1g"), "cannot remount")
        scene.flatleak("work", run, check_code=0)
        return f"full after {count} of {len(whole)} files; {is_complete(scene, run, alone)}"
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def pace(scene):
    """Tasks of one second on two workers, against the ideal."""
    tasks = scene.models * 2
    command(scene, "sleep 1", tasks)
    run = scene.folder / "run"
    scene.prepare(run)
    begun = time.time()
    scene.flatleak("work", run, "--workers", "2", check_code=0)
    took = time.time() - begun
    return f"{tasks} tasks of 1 s in {took:.1f} s, {took / (tasks / 2):.3f} times the ideal"


def spent(words):
    """User and system seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def overhead(scene, before):
    """The main job by a program from before workers, and by prepare, work and collect, alternating."""
    if not before:
        return "skipped: no --before"
    old, new = [], []
    for k in range(7):
        at = [scene.folder / f"{name}{k}" for name in ("old", "new")]
        old.append(spent([before, "compare", "--out", str(at[0])]))
        whole = spent([scene.program, "compare", "--out", str(at[1]), "--prepare"])
        whole += spent([scene.program, "work", str(at[1])])
        whole += spent([scene.program, "compare", "--out", str(at[1]), "--no-train"])
        new.append(whole)
        check(results(at[0]) == results(at[1]), "results differ from those of before")
        [shutil.rmtree(folder) for folder in at]
    a, b = statistics.median(old), statistics.median(new)
    return f"{a:.1f} s before, {b:.1f} s with workers: {100 * (b / a - 1):+.2f} %"


SCENES = {"equal": equal, "chaos": chaos, "failing": failing, "limit": limit, "steps": steps, "binary": binary, "cancelled": cancelled, "full": full}
TIMED = {"pace": pace, "overhead": overhead}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scene", action="append", choices=[*SCENES, *TIMED])
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--before")
    asked = parser.parse_args()
    failures = 0
    for name in asked.scene or SCENES:
        scene = Scene(asked.program, asked.seed, asked.tasks)
        begun = time.time()
        try:
            said = overhead(scene, asked.before) if name == "overhead" else {**SCENES, **TIMED}[name](scene)
        except Failed as e:
            failures += 1
            said = f"FAILED: {e}"
        finally:
            scene.close()
        print(f"{name} ({time.time() - begun:.0f} s): {said}", flush=True)
    sys.exit(1 if failures else 0)


main()
