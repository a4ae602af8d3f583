"""The package beside the command line and beside NumPy. Run with the wheel installed; FLATLEAK names the program."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

import flatleak

M, N, C, T = 12, 60, 4, 25


def made(seed=0):
    rng = np.random.default_rng(seed)
    member = flatleak.membership(N, M, seed)
    labels = np.arange(N) % C
    logits = rng.normal(0, 1, (M, N, C)).astype(np.float32)
    logits[:, np.arange(N), labels] += 1 + 2 * member
    return logits, labels, member


class Package(unittest.TestCase):
    def test_three_lines_give_the_command_lines_results(self):
        logits, labels, member = made()
        found = flatleak.audit(logits, labels, member)
        with tempfile.TemporaryDirectory() as folder:
            page = found.report(os.path.join(folder, "report.html"))
            self.assertIn("<!doctype html>", pathlib.Path(page).read_text(encoding="utf-8"))
            program = os.environ.get("FLATLEAK")
            if program is None:
                self.skipTest("FLATLEAK does not name the program")
            for name, array in (("logits", logits), ("labels", labels), ("membership", member)):
                np.save(os.path.join(folder, f"{name}.npy"), array)
            arguments = [f"--{name}={folder}/{name}.npy" for name in ("logits", "labels", "membership")]
            subprocess.run([program, "audit", *arguments, "--out", f"{folder}/out"], check=True, capture_output=True)
            wanted = json.loads(pathlib.Path(folder, "out", "results.json").read_text(encoding="utf-8"))
        own = found.to_dict()
        for volatile in ("machine", "timings"):
            own.pop(volatile), wanted.pop(volatile)
        # The program also writes a file of single examples and says so.
        self.assertEqual([listing["file"] for listing in wanted.pop("listings")], ["examples.json"])
        self.assertEqual(own, wanted)

    def test_every_kind_of_input(self):
        logits, labels, member = made()
        wide = logits.astype(np.float64)
        p = np.exp(wide) / np.exp(wide).sum(-1, keepdims=True)
        own = p[:, np.arange(N), labels]
        phi = np.log(own / (1 - own))
        aucs = [
            flatleak.audit(**{kind: values}, labels=labels, membership=member).attack("rmia")["auc"]["mean"]
            for kind, values in {
                "logits": np.asfortranarray(logits),
                "probabilities": p,
                "phi": phi,
                "loss": -np.log(own),
                "confidence": own,
            }.items()
        ]
        np.testing.assert_allclose(aucs, aucs[0], atol=1e-3)
        self.assertGreater(aucs[0], 0.6)
        half = flatleak.audit(logits.astype(np.float16), labels, member.astype(int).tolist())
        self.assertAlmostEqual(half.attack("rmia")["auc"]["mean"], aucs[0], delta=0.02)
        self.assertIn("AUC", repr(half))
        self.assertIn("&lt;!doctype html&gt;", half._repr_html_())

    def test_features_and_the_phi_of_2021(self):
        logits, labels, member = made()
        rng = np.random.default_rng(1)
        test = {"test_logits": rng.normal(size=(M, T * 4, C)), "test_labels": np.arange(T * 4) % C}
        features = {"features": rng.normal(size=(N, 2)), "test_features": rng.normal(size=(T * 4, 2))}
        found = flatleak.audit(logits, labels, member, **test, **features)
        self.assertGreater(found.attack("quantile")["auc"]["mean"], 0.6)
        with self.assertRaisesRegex(ValueError, "together"):
            flatleak.audit(logits, labels, member, **test, features=features["features"])
        # Logits of 110: one phi is saturated, the other is not.
        logits[:, 0, 0] = 110
        old = flatleak.audit(logits, labels, member, variant="official-2021").attack("lira-online-fixed")
        self.assertEqual(old["variant"], "official")

    def test_pools_are_compared(self):
        logits, labels, member = made()
        quiet = logits.copy()
        quiet[:, np.arange(N), labels] -= 1.5 * member
        pools = [flatleak.Pool(logits, labels, member, name="loud"), flatleak.Pool(quiet, labels, member, name="quiet")]
        found = flatleak.compare(*pools)
        self.assertEqual(found.results["comparisons"][0]["pairing"], "paired")
        self.assertLess(found.results["comparisons"][0]["metrics"][0]["difference"]["mean"], 0)
        other = made(1)
        found = flatleak.compare(pools[0], flatleak.Pool(*other, name="other"))
        self.assertEqual(found.results["comparisons"][0]["pairing"], "unpaired")

    def test_memorization_and_influence(self):
        rng = np.random.default_rng(1)
        member = flatleak.membership(N, M, 3)
        self.assertTrue((member[0] != member[1]).all() and (flatleak.membership(N, 6, 3) == member[:6]).all())
        correct, test = rng.random((M, N)) < 0.4 + 0.4 * member, rng.random((M, T)) < 0.5
        values, errors = flatleak.memorization(correct, member)
        inside = np.array([correct[member[:, i], i].mean() - correct[~member[:, i], i].mean() for i in range(N)])
        np.testing.assert_allclose(values, inside, atol=1e-12)
        self.assertTrue((errors >= 0).all())
        found = flatleak.influence(test, member)
        wanted = [[test[member[:, i], j].mean() - test[~member[:, i], j].mean() for i in range(N)] for j in range(T)]
        np.testing.assert_allclose(found, wanted, atol=1e-6)

    def test_a_row_per_attack(self):
        try:
            import pandas  # noqa: F401
        except ImportError:
            self.skipTest("pandas is not installed")
        frame = flatleak.audit(*made()).to_pandas()
        self.assertEqual(frame.loc[frame.attack == "rmia", "recipe"].item(), "model")
        self.assertTrue((frame.auc_low <= frame.auc).all())

    def test_mistakes(self):
        logits, labels, member = made()
        for arguments, what in [
            ({}, "give one of"),
            ({"logits": logits, "labels": labels}, "membership is needed"),
            ({"logits": logits, "membership": member}, "needs labels"),
            ({"logits": logits[:, :-1], "labels": labels, "membership": member}, r"\(12, 59\) models and examples in either order"),
            ({"logits": np.where(logits > 3, np.nan, logits), "labels": labels, "membership": member}, "the first NaN at example"),
            ({"phi": np.array([[object()] * N] * M), "membership": member}, "of type object"),
            ({"logits": logits, "labels": labels, "membership": member[:1]}, r"membership is \(1, 60\)"),
            ({"logits": logits[:2], "labels": labels, "membership": member[:2]}, "but figures need 3"),
            ({"logits": logits, "labels": labels, "membership": member, "attacks": ["rima"]}, "no attack"),
            ({"logits": logits, "labels": labels, "membership": member, "variant": "x"}, "no variant"),
        ]:
            with self.assertRaisesRegex(ValueError, what):
                flatleak.audit(**arguments)


if __name__ == "__main__":
    unittest.main()
