"""How much does a scikit-learn classifier leak about its training digits?

    pip install flatleak scikit-learn
    python digits.py [report.html]
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import flatleak

x, y = load_digits(return_X_y=True)
x, (n, held_out) = x / 16.0, (1200, 597)
membership = flatleak.membership(n, models=16, seed=0)
outputs = []
for block, member in enumerate(membership):
    model = MLPClassifier((64,), max_iter=500, random_state=block // 2).fit(x[:n][member], y[:n][member])
    outputs.append(model.predict_log_proba(x))
logits = np.stack(outputs)  # Log-probabilities are logits, up to a constant that no attack sees.
found = flatleak.audit(logits[:, :n], y[:n], membership, test_logits=logits[:, n:], test_labels=y[n:], name="mlp")
print(found)
if len(sys.argv) > 1:
    found.report(sys.argv[1])
