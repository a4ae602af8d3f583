"""Pools from your own PyTorch code: :func:`train_pool` runs it over the blocked design, :class:`SAM` is sharpness-aware minimisation.

PyTorch is imported with this module and needed by nothing else in the package.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib

import numpy as np
import torch

from . import Pool, membership as _membership

__all__ = ["SAM", "train_pool"]


class SAM(torch.optim.Optimizer):
    """Sharpness-aware minimisation (Foret et al. 2021, arXiv 2010.01412) around any base optimizer.

    ``step(closure)`` evaluates the closure twice: at w, then at w + rho g / (|g| + 1e-12) with one norm over all parameters, and lets the base optimizer step from w with
    the second gradient. Weights are restored by copy. With ``model``, running statistics of its batch norms are updated by the first evaluation only; dropout masks are the same in both
    when the closure draws them from PyTorch's default generators, which are put back in between. rho is one for all groups; rho = 0 takes no second pass::

        optimizer = SAM(model.parameters(), torch.optim.SGD, rho=0.1, model=model, lr=0.05, momentum=0.9)
        def closure():
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            return loss
        optimizer.step(closure)
    """

    def __init__(self, params, base, rho=0.05, model=None, **arguments):
        if not rho >= 0:
            raise ValueError(f"rho is {rho}, but a radius is at least 0")
        self.base = base(params, **arguments)
        self.rho = rho
        self.model = model
        super().__init__(self.base.param_groups, {})
        self._share()

    def _share(self):
        # Groups and state are the base optimizer's, so that schedulers and checkpoints see one optimizer.
        self.param_groups = self.base.param_groups
        self.state = self.base.state

    def state_dict(self):
        return self.base.state_dict()

    def load_state_dict(self, state_dict):
        self.base.load_state_dict(state_dict)
        self._share()

    def add_param_group(self, param_group):
        # The constructor of torch.optim.Optimizer adds the groups that the base optimizer has already.
        if not any(param_group is group for group in self.base.param_groups):
            self.base.add_param_group(param_group)
        self.param_groups = self.base.param_groups

    def _norms(self):
        kinds = torch.nn.modules.batchnorm._BatchNorm
        return [] if self.model is None else [m for m in self.model.modules() if isinstance(m, kinds)]

    @torch.no_grad()
    def step(self, closure):
        closure = torch.enable_grad()(closure)
        random = [torch.get_rng_state()] + ([torch.cuda.get_rng_state()] if torch.cuda.is_initialized() else [])
        loss = closure()
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        if self.rho == 0 or not params:
            self.base.step()
            return loss
        norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for p in params))
        kept = [p.detach().clone() for p in params]
        running = [(m, {k: v.clone() for k, v in m.named_buffers(recurse=False)}) for m in self._norms()]
        for p in params:
            p.add_((self.rho / (norm + 1e-12)).to(p.dtype) * p.grad)
        torch.set_rng_state(random[0])
        if len(random) > 1:
            torch.cuda.set_rng_state(random[1])
        try:
            closure()
        finally:
            # Whatever the second evaluation does, weights and statistics are those of the first.
            for p, old in zip(params, kept):
                p.copy_(old)
            for m, buffers in running:
                for name, old in buffers.items():
                    getattr(m, name).copy_(old)
        self.base.step()
        return loss


def train_pool(train, labels, models, folder, *, seed=0, name="model", test_labels=None, progress=print):
    """Trains ``models`` models over the blocked design and returns their :class:`flatleak.Pool`.

    ``train(members, seed)`` trains one model on the examples with the indices ``members``, on whatever device, and returns its logits on all n examples, (n, C) or (n, Q, C), and
    also those on held-out examples where ``test_labels`` are given: a pair. Models of a block get the same seed, so that two recipes with equal seeds are paired in start and order.

    Every finished model is a file in ``folder``, written under a temporary name and renamed: an interrupted run goes on where it stopped. A folder of another plan (name, seed, labels) is refused.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.asarray(labels)
    held_out = None if test_labels is None else np.asarray(test_labels)
    design = _membership(len(labels), models, seed)
    # What every model in the folder has in common; more models may come later.
    digest = lambda values: None if values is None else hashlib.sha256(values.astype("<i8").tobytes()).hexdigest()
    plan = {"name": name, "seed": seed, "examples": len(labels), "labels": digest(labels), "test_labels": digest(held_out)}
    before = folder / "plan.json"
    if before.exists():
        found = json.loads(before.read_text(encoding="utf-8"))
        differing = [key for key in plan if found.get(key) != plan[key]]
        if differing:
            raise ValueError(f"{folder} holds models of another plan ({', '.join(differing)}); choose another folder")
    else:
        _replace(before, lambda out: out.write(json.dumps(plan).encode()))
    logits, test = [], []
    for model in range(models):
        file = folder / f"model_{model:04}.npz"
        if not file.exists():
            found = train(np.flatnonzero(design[model]), seed * 1_000_003 + model // 2)
            own, other = found if held_out is not None else (found, None)
            arrays = {"logits": _outputs(own, len(labels), "the examples")}
            if held_out is not None:
                arrays["test_logits"] = _outputs(other, len(held_out), "the held-out examples")
            _replace(file, lambda out: np.savez(out, **arrays))
            progress(f"model {model + 1} of {models}")
        with np.load(file, allow_pickle=False) as arrays:
            logits.append(arrays["logits"])
            if held_out is not None:
                test.append(arrays["test_logits"])
    _replace(folder / "membership.npy", lambda out: np.save(out, design))
    # With them the folder is whole: `flatleak audit FOLDER` reads it.
    _replace(folder / "labels.npy", lambda out: np.save(out, labels.astype("<i8")))
    if held_out is not None:
        _replace(folder / "test_labels.npy", lambda out: np.save(out, held_out.astype("<i8")))
    outside = np.stack(test) if held_out is not None else None
    return Pool(np.stack(logits), labels, design, "logits", outside, held_out, name)


def _replace(path, write):
    """Writes a file under a temporary name and renames it."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as out:
        write(out)
    os.replace(temporary, path)


def _outputs(values, n, what):
    array = values.detach().cpu().float().numpy() if torch.is_tensor(values) else np.asarray(values, np.float32)
    if array.ndim not in (2, 3) or len(array) != n:
        raise ValueError(f"train returned logits of shape {array.shape} on {what}, not ({n}, C) or ({n}, Q, C)")
    return array
