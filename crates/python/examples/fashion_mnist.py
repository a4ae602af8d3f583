"""SGD beside SAM in PyTorch, audited: does this recipe leak more about its Fashion-MNIST pictures?

    pip install flatleak torch
    python fashion_mnist.py FOLDER [report.html]

FOLDER holds the four IDX files (Debian: /usr/share/datasets/fashion-mnist or wherever `dpkg -L dataset-fashion-mnist` says). Finished models are kept in pool-sgd and
pool-sam, and a second run goes on where the first stopped.
"""

import gzip
import pathlib
import sys

import numpy as np
import torch

import flatleak
from flatleak.torch import SAM, train_pool

N, T, MODELS, EPOCHS = 2000, 1000, 16, 40


def idx(folder, name):
    path = next(p for p in pathlib.Path(folder).rglob(f"{name}*") if p.is_file())
    data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    dimensions = data[3]
    shape = np.frombuffer(data, ">u4", dimensions, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


torch.set_num_threads(1)
images = torch.tensor(idx(sys.argv[1], "train-images")[: N + T].reshape(N + T, -1) / 255.0, dtype=torch.float32)
labels = torch.tensor(idx(sys.argv[1], "train-labels")[: N + T].astype(np.int64))


def trainer(rho):
    def train(members, seed):
        torch.manual_seed(seed)
        model = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
        optimizer = SAM(model.parameters(), torch.optim.SGD, rho=rho, lr=0.05, momentum=0.9, weight_decay=5e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer.base, EPOCHS)
        for _ in range(EPOCHS):
            for batch in torch.tensor(members)[torch.randperm(len(members))].split(64):

                def closure():
                    optimizer.zero_grad()
                    loss = torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])
                    loss.backward()
                    return loss

                optimizer.step(closure)
            schedule.step()
        with torch.no_grad():
            return model(images[:N]), model(images[N:])

    return train


pools = [
    train_pool(trainer(rho), labels[:N], MODELS, f"pool-{name}", name=name, test_labels=labels[N:])
    for name, rho in (("sgd", 0.0), ("sam", 0.1))
]
found = flatleak.compare(*pools, name="fashion-mnist")
print(found)
if len(sys.argv) > 2:
    found.report(sys.argv[2])
