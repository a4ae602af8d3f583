"""Pools from your own PyTorch code: :func:`train_pool` runs it over the blocked design, :class:`SAM` is sharpness-aware minimisation.

PyTorch is imported with this module and needed by nothing else in the package.
"""

from __future__ import annotations

import os
import pathlib

import numpy as np
import torch

from . import Pool, membership as _membership

__all__ = ["SAM", "train_pool"]


class SAM(torch.optim.Optimizer):
    """Sharpness-aware minimisation (Foret et al. 2021, arXiv 2010.01412) around any base optimizer.

    ``step(closure)`` evaluates the closure twice: at w, then at w + rho g / (|g| + 1e-12) with one norm over all parameters, and lets the base optimizer step from w with
    the second gradient. Weights are restored by copy. Running statistics of batch norm are updated by the first evaluation only; dropout masks are the same in both when the
    closure draws them from PyTorch's default generators, which are put back in between. rho = 0 takes no second pass::

        optimizer = SAM(model.parameters(), torch.optim.SGD, rho=0.1, lr=0.05, momentum=0.9)
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
        params = list(params)
        super().__init__(params, dict(rho=rho, **arguments))
        self.rho = rho
        self.base = base(self.param_groups, **arguments)
        # The base optimizer owns the groups, so that schedulers on either move the learning rate of both.
        self.param_groups = self.base.param_groups
        self.model = model

    def _norms(self):
        kinds = torch.nn.modules.batchnorm._BatchNorm
        return [] if self.model is None else [m for m in self.model.modules() if isinstance(m, kinds)]

    @torch.no_grad()
    def step(self, closure):
        closure = torch.enable_grad()(closure)
        states = [torch.get_rng_state()] + ([torch.cuda.get_rng_state()] if torch.cuda.is_initialized() else [])
        loss = closure()
        if self.rho == 0:
            self.base.step()
            return loss
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for p in params))
        kept = [p.detach().clone() for p in params]
        for p in params:
            p.add_((self.rho / (norm + 1e-12)).to(p.dtype) * p.grad)
        momenta = [(m, m.momentum) for m in self._norms()]
        for m, _ in momenta:
            m.momentum = 0.0
        torch.set_rng_state(states[0])
        if len(states) > 1:
            torch.cuda.set_rng_state(states[1])
        closure()
        for m, momentum in momenta:
            m.momentum = momentum
        for p, old in zip(params, kept):
            p.copy_(old)
        self.base.step()
        return loss


def train_pool(train, labels, models, folder, *, seed=0, name="model", test_labels=None, progress=print):
    """Trains ``models`` models over the blocked design and returns their :class:`flatleak.Pool`.

    ``train(members, seed)`` trains one model on the examples with the indices ``members``, on whatever device, and returns its logits on all n examples, (n, C) or (n, Q, C), and
    also those on held-out examples where ``test_labels`` are given: a pair. Models of a block get the same seed, so that two recipes with equal seeds are paired in start and order.

    Every finished model is a file in ``folder``, written under a temporary name and renamed: an interrupted run goes on where it stopped. A folder of another design is refused.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.asarray(labels)
    design = _membership(len(labels), models, seed)
    plan = folder / "membership.npy"
    if plan.exists():
        before = np.load(plan)
        shared = min(len(before), models)
        if before.shape[1] != len(labels) or not np.array_equal(before[:shared], design[:shared]):
            raise ValueError(f"{folder} holds models of another design; choose another folder")
    if not plan.exists() or len(np.load(plan)) < models:
        np.save(plan, design)
    logits, test = [], []
    for model in range(models):
        file = folder / f"model_{model:04}.npz"
        if not file.exists():
            found = train(np.flatnonzero(design[model]), seed * 1_000_003 + model // 2)
            own, held_out = found if test_labels is not None else (found, None)
            arrays = {"logits": _numpy(own)} | ({} if held_out is None else {"test_logits": _numpy(held_out)})
            temporary = file.with_suffix(".tmp")
            with open(temporary, "wb") as out:
                np.savez(out, **arrays)
            os.replace(temporary, file)
            progress(f"model {model + 1} of {models}")
        with np.load(file, allow_pickle=False) as arrays:
            logits.append(arrays["logits"])
            if test_labels is not None:
                test.append(arrays["test_logits"])
    held_out = np.stack(test) if test_labels is not None else None
    return Pool(np.stack(logits), labels, design, "logits", held_out, test_labels, name)


def _numpy(values):
    return values.detach().cpu().float().numpy() if torch.is_tensor(values) else np.asarray(values, np.float32)
