"""The rows of the manifest: how a file was written, how it is given, what must come out."""

import importlib.metadata
import shutil

import numpy as np

from world import HERE, World, auc

THREE, TWO, FOUR = World(3, 8), World(2, 2), World(4, 4)
# Enough examples to tell a column from another with certainty.
LARGE, LARGE_TWO = World(4, 5, 160), World(2, 6, 160)
NAMES = {id(world): name for name, world in [("", THREE), ("2", TWO), ("4", FOUR), ("_large", LARGE), ("_large2", LARGE_TWO)]}
ROWS = []
COMMON = HERE / "common"


def version(package):
    return importlib.metadata.version(package)


def place(tool, name):
    """Where a fixture of a tool goes."""
    folder = HERE / tool
    folder.mkdir(exist_ok=True)
    return folder / name


def shared():
    """Labels and memberships that most rows use."""
    for name in [path for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"]:
        shutil.rmtree(name)
    COMMON.mkdir()
    for name, world in [("", THREE), ("2", TWO), ("4", FOUR), ("_large", LARGE), ("_large2", LARGE_TWO)]:
        np.save(COMMON / f"labels{name}.npy", world.labels)
        np.save(COMMON / f"membership{name}.npy", world.member)


def given(flag, file, world=THREE, labels=None, membership=None):
    """Arguments for one array of outputs."""
    which = NAMES[id(world)]
    labels = f"common/labels{which}.npy" if labels is None else labels
    out = [f"--{flag}", file]
    out += ["--labels", labels] if labels else []
    return [*out, "--membership", membership or f"common/membership{which}.npy"]


class Tool:
    """Adds rows of one tool."""

    def __init__(self, name, version, folder=None, source="library"):
        self.name, self.version, self.source = name, version, source
        self.folder = folder or name.lower()

    def path(self, name):
        return place(self.folder, name)

    def _row(self, call, form, arguments, **rest):
        file = next((a for a in arguments if a.startswith(f"{self.folder}/")), arguments[-1])
        row = {"tool": self.name, "version": self.version, "call": call, "file": file, "format": form, "source": self.source}
        ROWS.append({**row, "given": arguments, **rest})

    def taken(self, call, form, arguments, phi, world=THREE, note=None):
        """phi is that of the values as they stand in the file."""
        rest = {"note": note} if note else {}
        self._row(call, form, arguments, result="taken", auc=auc(phi, world.member), **rest)

    def named(self, call, form, file, phi):
        """One file with outputs, labels and membership: by itself, and as each of the three."""
        self.taken(call, form, [file], phi)
        self.taken(call + ", given as each of the three", form, ["--logits", file, "--labels", file, "--membership", file], phi)

    def refused(self, call, form, arguments, message, why, code=3):
        """`why` names the two readings, or that the file holds code."""
        self._row(call, form, arguments, result="refused", code=code, message=message, why=why)

    def wrong(self, call, form, arguments, reason, phi=None, world=THREE):
        """What the program does not do right yet: not tested."""
        rest = {} if phi is None else {"auc": auc(phi, world.member)}
        self._row(call, form, arguments, result="wrong", reason=reason, **rest)
