"""The PyTorch part; skipped where PyTorch is not installed."""

import json
import pathlib
import tempfile
import unittest

import numpy as np

import flatleak

try:
    import torch

    from flatleak.torch import SAM, train_pool
except ImportError:
    torch = None


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Torch(unittest.TestCase):
    def quadratic(self, base, rho, **arguments):
        """Three steps on (w - 1)' A (w - 1) / 2 with A = diag(1, 10)."""
        w = torch.nn.Parameter(torch.tensor([3.0, -1.0], dtype=torch.float64))
        a = torch.tensor([1.0, 10.0], dtype=torch.float64)
        optimizer = SAM([w], base, rho=rho, **arguments)

        def closure():
            optimizer.zero_grad()
            loss = 0.5 * (a * (w - 1) ** 2).sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        return w.detach().numpy()

    def test_sam_by_hand(self):
        w, b, a = np.array([3.0, -1.0]), np.zeros(2), np.array([1.0, 10.0])
        for _ in range(3):
            g = a * (w - 1)
            g = a * (w + 0.1 * g / np.linalg.norm(g) - 1)
            b = 0.9 * b + g + 0.01 * w
            w = w - 0.05 * b
        found = self.quadratic(torch.optim.SGD, 0.1, lr=0.05, momentum=0.9, weight_decay=0.01)
        np.testing.assert_allclose(found, w, rtol=1e-12)

    def test_ten_steps_are_the_engines(self):
        """The trajectory that the engine's own tests hold it to (crates/nn/tests/pytorch.rs, within 1e-4 there)."""
        file = pathlib.Path(__file__).parents[2] / "nn/tests/fixtures/mlp-0-sam.safetensors"
        bytes = file.read_bytes()
        length = int.from_bytes(bytes[:8], "little")
        header = json.loads(bytes[8 : 8 + length])
        kinds = {"F32": np.float32, "I64": np.int64}

        def tensor(name):
            start, end = (8 + length + k for k in header[name]["data_offsets"])
            values = np.frombuffer(bytes[start:end], kinds[header[name]["dtype"]])
            return torch.from_numpy(values.reshape(header[name]["shape"]).copy())

        meta = header["__metadata__"]
        network = torch.nn.Sequential(
            torch.nn.Linear(20, 16), torch.nn.ReLU(), torch.nn.Linear(16, 12), torch.nn.Tanh(), torch.nn.Linear(12, 5)
        )
        self.assertEqual(meta["layers"], "linear 20 16;relu;linear 16 12;tanh;linear 12 5")
        network.load_state_dict({name: tensor(f"init.{name}") for name in network.state_dict()})
        settings = {name: float(meta[name]) for name in ("lr", "momentum", "weight_decay")}
        optimizer = SAM(network.parameters(), torch.optim.SGD, rho=float(meta["rho"]), **settings)
        x, y, first = tensor("x"), tensor("y"), 8
        for step in range(10):
            rows = slice(0, first) if step % 2 == 0 else slice(first, None)

            def closure():
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(network(x[rows]), y[rows])
                loss.backward()
                return loss

            optimizer.step(closure)
        for name, value in network.state_dict().items():
            torch.testing.assert_close(value, tensor(f"final.{name}"), rtol=0, atol=2e-6)

    def test_radius_0_is_the_base_optimizer(self):
        found = self.quadratic(torch.optim.Adam, 0.0, lr=0.1)
        w = torch.nn.Parameter(torch.tensor([3.0, -1.0], dtype=torch.float64))
        base = torch.optim.Adam([w], lr=0.1)
        for _ in range(3):
            base.zero_grad()
            (0.5 * (torch.tensor([1.0, 10.0], dtype=torch.float64) * (w - 1) ** 2).sum()).backward()
            base.step()
        np.testing.assert_array_equal(found, w.detach().numpy())
        with self.assertRaises(ValueError):
            self.quadratic(torch.optim.SGD, -1.0, lr=0.1)

    def test_batch_norm_and_dropout_see_one_pass(self):
        torch.manual_seed(0)
        layers = [torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)]
        model = torch.nn.Sequential(*layers)
        optimizer = SAM(model.parameters(), torch.optim.SGD, rho=0.1, model=model, lr=0.0)
        x, masks = torch.randn(16, 4), []
        layers[2].register_forward_hook(lambda *io: masks.append(io[2] == 0))

        def closure():
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            return loss

        optimizer.step(closure)
        mean = layers[0](x).mean(0)
        torch.testing.assert_close(layers[1].running_mean, 0.1 * mean)
        self.assertEqual(layers[1].num_batches_tracked, 1)
        self.assertTrue(torch.equal(*masks))

    def test_a_pool_is_trained_audited_and_resumed(self):
        rng = np.random.default_rng(0)
        labels = np.arange(40) % 2
        trained = []

        def train(members, seed):
            trained.append((members, seed))
            logits = rng.normal(size=(40, 2))
            logits[members, labels[members]] += 3
            return torch.tensor(logits), rng.normal(size=(10, 2))

        with tempfile.TemporaryDirectory() as folder:
            quiet = lambda _: None
            train_pool(train, labels, 4, folder, test_labels=np.zeros(10, int), progress=quiet)
            pool = train_pool(train, labels, 8, folder, test_labels=np.zeros(10, int), progress=quiet)
            self.assertEqual(len(trained), 8)
            self.assertEqual([seed for _, seed in trained[:4]], [0, 0, 1, 1])
            self.assertGreater(flatleak.compare(pool, pool).attack("rmia")["auc"]["mean"], 0.8)
            for changed in ({"seed": 1}, {"name": "other"}, {"test_labels": None}):
                with self.assertRaisesRegex(ValueError, "another plan"):
                    train_pool(train, labels, 8, folder, **{"test_labels": np.zeros(10, int), "progress": quiet, **changed})
            with self.assertRaisesRegex(ValueError, "another plan"):
                train_pool(train, 1 - labels, 8, folder, test_labels=np.zeros(10, int), progress=quiet)
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(ValueError, "logits of shape"):
                train_pool(lambda members, seed: np.zeros((39, 2)), labels, 4, folder)
            self.assertFalse(list(pathlib.Path(folder).glob("model_*")))

    def test_state_and_groups_are_the_bases(self):
        w = torch.nn.Parameter(torch.ones(2))
        make = lambda: SAM([w], torch.optim.SGD, rho=0.1, lr=0.1, momentum=0.9)
        optimizer = make()

        def closure():
            optimizer.zero_grad()
            loss = (w**2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        state = optimizer.state_dict()
        self.assertIn("momentum_buffer", state["state"][0])
        optimizer = make()
        optimizer.load_state_dict(state)
        self.assertIs(optimizer.param_groups, optimizer.base.param_groups)
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 0.0)
        before = w.detach().clone()
        optimizer.step(closure)
        self.assertTrue(torch.equal(w.detach(), before))
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))]})
        self.assertEqual(len(optimizer.base.param_groups), 2)
        optimizer.step(closure)


if __name__ == "__main__":
    unittest.main()
