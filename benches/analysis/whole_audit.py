"""Times a whole `flatleak audit` of a pool, intervals included, as one JSON line: whole_audit.py PROGRAM POOL WORKERS (standard library only)."""

import json
import resource
import subprocess
import sys
import tempfile
import time

program, pool, workers = sys.argv[1:]
with tempfile.TemporaryDirectory() as out:
    command = [program, "audit", "--phi", f"{pool}/phi.npy", "--membership", f"{pool}/membership.npy"]
    command += ["--workers", workers, "--out", f"{out}/audit"]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(json.dumps({"attack": "whole audit", "wall_s": wall, "cpu_s": cpu, "peak_mb": used.ru_maxrss / 1024}))
