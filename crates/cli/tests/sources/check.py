"""Runs the program on every row of the manifest: python3 check.py PROGRAM [TOOL]. With --wrong it says what comes of the rows that are not
right yet."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(program, row):
    """What is wrong with it, or None."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        said = subprocess.run([program, "audit", *row["given"], "--out", out], cwd=HERE, capture_output=True, text=True, check=False)
        text = said.stdout + said.stderr
        if row["result"] != "taken":
            if said.returncode != row["code"] or row["message"] not in text or out.exists():
                return f"exit {said.returncode}, out {out.exists()}: {text.strip()[-700:]}"
            return None
        if said.returncode != 0:
            return f"exit {said.returncode}: {text.strip()[-700:]}"
        results = json.loads((out / "results.json").read_text())
        attacks = {a["name"]: a["auc"]["mean"] for a in results["recipes"][0]["attacks"]}
        found = attacks.get("lira-online-fixed")
        if found is None or not abs(found - row["auc"]) <= row.get("within", 1e-6):
            return f"AUC {found}, not {row['auc']}: {results['notes'][:4]}"
    return None


def show_wrong(program):
    for row in json.loads((HERE / "manifest.json").read_text()):
        if row["result"] == "wrong":
            found = run(program, {**row, "result": "taken", "auc": row.get("auc", float("nan"))})
            print(f"{row['tool']}: {row['call']}\n    {' '.join(row['given'])}\n    {row['reason']}\n    {found or 'right'}\n")


def main(program, *tools):
    program = Path(program).resolve()
    if tools == ("--wrong",):
        show_wrong(program)
        return
    rows = [r for r in json.loads((HERE / "manifest.json").read_text()) if not tools or r["tool"] in tools]
    tested = [r for r in rows if r["result"] != "wrong"]
    failed = 0
    for row in tested:
        wrong = run(program, row)
        if wrong:
            failed += 1
            print(f"{row['tool']}: {row['call']}\n    {' '.join(row['given'])}\n    {wrong}\n")
    print(f"{len(tested) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
