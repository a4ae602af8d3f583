"""Auditing tools. Where a tool's scripts cannot be installed, its lines that write are repeated here: source is "written from" them."""

import pickle
import sys
import types

import numpy as np

import world as w
from arrays import CODE, K, P, PHI, Y, Z, of
from rows import THREE, Tool, given, version
from world import C, M, N

VIEWS = np.stack([Z, THREE.mirrored], 2).astype("<f2")
PHI_OF_VIEWS = w.phi_of_logits(VIEWS, Y)
LOSS = -np.log((P * (np.arange(C) == Y[:, None])).sum(-1))
WRITTEN = "written from its source"


def mi_lira_rows():
    t = Tool("mi_lira_2021", "2021", source=WRITTEN)

    def write(name, logits, epochs=(100,), labels=True, models=M):
        path, file = of(t)(name)
        for m in range(models):
            folder = path / f"experiment-{m}_{M}"
            (folder / "logits").mkdir(parents=True)
            (folder / "hparams.json").write_text('{"arch": "wrn28-2"}')
            np.save(folder / "keep.npy", K[m])
            for epoch in epochs:
                np.save(folder / "logits" / f"{epoch:010}", logits[m] if epoch == max(epochs) else -logits[m])
        if labels:
            np.save(path / "y_train.npy", Y)
        return file

    f4 = Z.astype("<f4")
    file = write("one_view", f4[:, :, None, None])
    t.taken("inference.py: np.save(..., np.array(stats)[:, None, :, :])", "folder of experiment-<i>_<M>", [file], PHI)
    file = write("two_views", VIEWS[:, :, None])
    t.taken("the same, with mirrored images", "folder of experiment-<i>_<M>", [file], PHI_OF_VIEWS)
    file = write("epochs", f4[:, :, None, None].astype("<f2"), epochs=(20, 100))
    t.taken("the same, of two epochs: the last is taken", "folder of experiment-<i>_<M>", [file], PHI)
    file = write("given_labels", f4[:, :, None, None].astype("<f2"), labels=False)
    t.taken("the same, without y_train.npy", "folder of experiment-<i>_<M>", [file, "--labels", "common/labels.npy"], PHI)
    file = write("unfinished", f4[:, :, None, None].astype("<f2"), models=M - 1)
    t.refused("the same, a model not yet trained", "folder of experiment-<i>_<M>", [file], "lacks model 7", "the run has as many models as it trained, or as its name says")


def lira_pytorch_rows():
    t = Tool("lira-pytorch", "2023", "lira_pytorch", source=WRITTEN)

    def write(name, logits, keep=lambda m: K[m], labels=False):
        path, file = of(t)(name)
        for m in range(M):
            (path / str(m)).mkdir(parents=True)
            np.save(path / str(m) / "keep.npy", keep(m))
            np.save(path / str(m) / "logits.npy", logits[m])
        if labels:
            np.save(path / "labels.npy", Y)
        return [file] + ([] if labels else ["--labels", "common/labels.npy"])

    call = "inference.py: np.save('logits.npy', np.stack(logits_n, axis=1))"
    form = "folder of <i>"
    t.taken(call + ", 2 queries", form, write("two_queries", VIEWS), PHI_OF_VIEWS)
    t.taken(call + ", 1 query", form, write("one_query", Z[:, :, None].astype("<f4")), PHI)
    t.taken("the same, with labels.npy beside the models", form, write("labels", Z[:, :, None].astype("<f2"), labels=True), PHI)
    t.taken("the same, keep.npy as positions", form, write("positions", Z[:, :, None].astype("<f2"), lambda m: np.flatnonzero(K[m])), PHI)


def lira_analysis_rows():
    t = Tool("lira_analysis", "2025", source=WRITTEN)

    def write(name, logits, first=0):
        path, file = of(t)(name)
        for m in range(M):
            (path / f"model_{m + first}" / "logits").mkdir(parents=True)
            np.save(path / f"model_{m + first}" / "logits" / "logits.npy", logits[m])
        np.save(path / "keep_indices.npy", K)
        np.save(path / "labels.npy", Y)
        return [file]

    form = "folder of model_<i>"
    t.taken("generate_logits: np.save(logits_path, logits), (N, 1, A, C)", form, write("views", VIEWS[:, :, None]), PHI_OF_VIEWS)
    t.taken("the same, of one view as (N, C)", form, write("plain", Z.astype("<f2")), PHI)
    t.taken("the same, models from 1", form, write("from_one", Z.astype("<f2"), 1), PHI)
    path, file = of(t)("scores.npy")
    np.save(path, PHI_OF_VIEWS.astype("<f4"))
    t.taken("compute_scores: np.stack of every scores.npy, (M, N, A)", ".npy", given("phi", file, membership="lira_analysis/plain/keep_indices.npy"), PHI_OF_VIEWS)
    t.taken("keep_indices.npy by itself", "membership", given("logits", "numpy/float16.npy", membership="lira_analysis/plain/keep_indices.npy"), PHI)


def privacy_meter_rows():
    t = Tool("Privacy Meter", "2025", "privacy_meter", source=WRITTEN)
    p = (P * (np.arange(C) == Y[:, None])).sum(-1).astype("<f4")
    phi = w.phi_of_confidence(p)
    population = np.random.default_rng(3).uniform(0.2, 0.9, (20, M)).astype("<f4")

    def write(name, attack, pop=False, rows=N):
        path, file = of(t)(name)
        (path / "models").mkdir(parents=True)
        (path / "signals").mkdir()
        np.save(path / "models" / "memberships.npy", K)
        np.save(path / "signals" / f"{attack}_signals.npy", p.T[:rows])
        if pop:
            np.save(path / "signals" / f"{attack}_signals_pop.npy", population)
        return file

    form = "folder of models and signals"
    t.taken("get_model_signals: np.save('signals/rmia_signals.npy')", form, [write("rmia", "rmia")], phi)
    t.taken("the same, of a population too", form, [write("population", "rmia", pop=True)], phi)
    t.taken("the same, algorithm LOSS, with --labels", form, [write("loss", "loss"), "--labels", "common/labels.npy"], phi)
    arrays = ["--confidence", "privacy_meter/rmia/signals/rmia_signals.npy", "--membership", "privacy_meter/rmia/models/memberships.npy"]
    t.taken("signals and memberships as arrays", ".npy", arrays, phi)
    t.refused("the same, audit.data_size below the data set's", form, [write("part", "rmia", rows=30)], "nothing says which", "the examples are the first of the data set, or others that were drawn")


def leak_pro_rows():
    t = Tool("LeakPro", "2026", "leakpro", source=WRITTEN)
    folder = t.path("attack_cache")
    folder.mkdir()
    for m in range(M):
        np.save(folder / f"sm_{m}_logits.npy", Z[m].astype("<f4"))
    form = ".npy"
    path, file = of(t)("stack.npy")
    np.save(path, np.stack([np.load(folder / f"sm_{m}_logits.npy") for m in range(M)]))
    np.save(t.path("mask.npy"), K.T.copy())
    t.taken("cache_logits: np.stack of sm_<i>_logits.npy; get_in_indices_mask, (N, M)", form, given("logits", file, membership="leakpro/mask.npy"), PHI)
    assignment = K.astype("u1")
    np.save(t.path("assignment.npy"), assignment)
    t.taken("the same, construct_balanced_assignments, (M, N) of uint8", form, given("logits", file, membership="leakpro/assignment.npy"), PHI)
    rescaled = PHI.astype("<f4")
    path, file = of(t)("rescaled.npy")
    np.save(path, rescaled)
    t.taken("rescale_logits of every shadow model, with labels", form, given("phi", file, membership="leakpro/mask.npy"), PHI)
    t.refused(
        "the same without labels, the mask being (N, M)",
        form,
        ["--phi", file, "--membership", "leakpro/mask.npy"],
        "as 8 models and 48 examples, or as 48 models and 8 examples",
        "8 models and 48 examples, or 48 models and 8 examples",
    )
    path, file = of(t)("rescaled_turned.npy")
    np.save(path, rescaled.T.copy())
    t.taken("shadow_models_logits, (N, M)", form, given("phi", file, membership="leakpro/mask.npy"), PHI)
    path, file = of(t)("pool.npz")
    np.savez_compressed(path, shadow_logits=Z.astype("<f2"), in_indices_masks=K.T, targets=Y)
    t.taken("np.savez_compressed(shadow_logits=, in_indices_masks=, targets=)", ".npz", [file], PHI)
    path, file = of(t)("cache_logits.npz")
    np.savez_compressed(path, shadow_models_logits=rescaled.T, in_indices_masks=K.T, audit_data_indices=np.arange(N))
    t.refused("LogitsCacheHandler.save: shadow_models_logits, in_indices_masks", ".npz", [file], "holds no arrays that are called logits", "`shadow_models_logits` are logits, or rescaled as LiRA has them, which is phi")
    path, file = of(t)("metadata_0.pkl")
    with open(path, "wb") as out:
        pickle.dump({"train_indices": np.flatnonzero(K[0]), "num_train": 24}, out)
    t.refused("pickle.dump(meta_data)", "pickle", given("logits", "leakpro/stack.npy", membership=file), "pickle.load", CODE)


def tf_privacy_rows():
    t = Tool("TF Privacy", "0.9.0", "tf_privacy", source=WRITTEN)
    phi = PHI_OF_VIEWS.astype("<f4")
    at = of(t)

    def save(name, array):
        np.save(t.path(name), array)
        return f"tf_privacy/{name}"

    # in_indices is a list of boolean arrays, stat one of (n, k).
    member = save("in_indices.npy", np.array(list(K)))
    call = "advanced_mia_example.py: np.save("
    t.taken(call + "np.array(stat)), (models, examples, views)", ".npy", ["--phi", save("stat.npy", phi), "--membership", member], w.single(phi))
    loss = np.logaddexp(0, -np.float64(phi)).astype("<f4")
    t.taken(call + "np.array(losses))", ".npy", ["--loss", save("losses.npy", loss), "--membership", member], w.phi_of_loss(loss))
    one = save("stat_one.npy", phi[..., :1])
    t.taken(call + "np.array(stat)), one view", ".npy", ["--phi", one, "--membership", member], w.single(phi[..., 0]))
    path, file = at("pool.npz")
    np.savez(path, phi=phi[..., 0], labels=Y, in_mask=K)
    t.taken("np.savez(phi=, labels=, in_mask=)", ".npz", [file], w.single(phi[..., 0]))
    labels = save("cifar_labels.npy", Y[:, None].astype("u1"))
    t.taken("y of tf.keras.datasets.cifar10, (N, 1) of uint8", "labels", given("logits", "numpy/float16.npy", labels=labels), PHI)
    path, file = at("shadow.pkl")
    with open(path, "wb") as out:
        pickle.dump((phi, K), out)
    t.refused("pickle.dump((stat, in_indices))", "pickle", ["--phi", file, "--membership", member], "pickle.load", CODE)


def train_pool_rows():
    """The package's own file, with the design of this world in place of its extension."""
    from rows import HERE

    package = types.ModuleType("flatleak")
    package.__path__ = [str(HERE.parents[2] / "python" / "python" / "flatleak")]
    package.Pool = lambda *of: of
    package.membership = lambda n, models, seed: K
    sys.modules["flatleak"] = package
    import flatleak.torch

    t = Tool("train_pool", "of this version")

    def write(name, outputs, **more):
        path, file = of(t)(name)
        each = iter(outputs)
        flatleak.torch.train_pool(lambda members, seed: next(each), Y, M, path, progress=lambda _: None, **more)
        return file

    form = "folder of model_<i>.npz"
    t.taken("train_pool(train, labels, 8, folder)", form, [write("plain", Z.astype("<f2"))], PHI)
    t.taken("the same, with views", form, [write("views", VIEWS)], PHI_OF_VIEWS)
    held_out = np.random.default_rng(4).integers(-16, 17, (M, 12, C)) / 8
    file = write("held_out", list(zip(Z.astype("<f2"), held_out.astype("<f2"))), test_labels=np.arange(12) % C)
    t.taken("the same, with held-out examples", form, [file], PHI)
    import torch

    file = write("tensors", [torch.from_numpy(z.astype("<f4")) for z in Z])
    t.taken("the same, train returns tensors", form, [file], PHI)
    t.taken("the same, two pools", form, ["train_pool/plain", "train_pool/tensors"], PHI)


def art_rows():
    """ART's own scores, from models of scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    from art.attacks.inference.membership_inference import MembershipInferenceBlackBox, MembershipInferenceBlackBoxRuleBased
    from art.estimators.classification import SklearnClassifier

    import arrays

    x, y = arrays.examples(3)
    x = x.astype("<f4")
    models = [SklearnClassifier(m) for m in arrays.fitted(lambda: LogisticRegression(C=100, max_iter=200), x, y, K)]
    t = Tool("ART", version("adversarial-robustness-toolbox"))
    at = of(t)
    labels = "sklearn/labels.npy"
    p = np.stack([m.predict(x) for m in models]).astype("<f4")
    path, file = at("predict.npy")
    np.save(path, p)
    t.taken("np.save(np.stack([c.predict(x) for c in classifiers]))", ".npy", given("probabilities", file, labels=labels), w.phi_of_probabilities(p, y))
    scores = []
    for m, k in zip(models, K):
        attack = MembershipInferenceBlackBox(m, attack_model_type="lr")
        attack.fit(x[k][:12], y[k][:12], x[~k][:12], y[~k][:12])
        scores.append(attack.infer(x, y, probabilities=True))
    s = np.stack(scores).reshape(M, N, -1)[..., -1].astype("<f4")
    path, file = at("infer.npy")
    np.save(path, s)
    t.taken("MembershipInferenceBlackBox.infer(x, y, probabilities=True), as a score", ".npy", given("phi", file, labels=labels), w.single(s))
    path, file = at("infer_column.npy")
    np.save(path, s[..., None])
    t.taken("the same, (models, examples, 1)", ".npy", given("phi", file, labels=labels), w.single(s))
    rule = np.stack([MembershipInferenceBlackBoxRuleBased(m).infer(x, y) for m in models])
    path, file = at("rule.npy")
    np.save(path, rule)
    t.taken("MembershipInferenceBlackBoxRuleBased.infer(x, y), 0 and 1 as a score", ".npy", given("phi", file, labels=labels), w.single(rule))


def mialibrary_rows():
    import jax.numpy as jnp

    t = Tool("mialibrary", version("mialibrary"))
    at = of(t)
    stat = jnp.asarray(PHI, jnp.float32)
    path, file = at("stat.npy")
    jnp.save(path, stat)
    jnp.save(t.path("in_indices.npy"), jnp.asarray(K))
    t.taken("jnp.save of stat and in_indices, (m, n)", ".npy", ["--phi", file, "--membership", "mialibrary/in_indices.npy"], PHI)
    p = np.float32(1 / (1 + np.exp(-PHI)))
    path, file = at("signals.npy")
    np.save(path, p)
    t.taken("np.save(signals), RMIA's probabilities", ".npy", ["--confidence", file, "--membership", "mialibrary/in_indices.npy"], w.phi_of_confidence(p))
    path, file = at("signals_turned.npy")
    np.save(path, p.T.copy())
    t.taken("the same, (n, m), with labels", ".npy", given("confidence", file, membership="mialibrary/in_indices.npy"), w.phi_of_confidence(p))
    path, file = at("pool.npz")
    np.savez(path, phi=stat, keep=K)
    t.taken("np.savez(phi=stat, keep=in_indices)", ".npz", [file], PHI)
    path, file = at("stat.pkl")
    with open(path, "wb") as out:
        pickle.dump(np.asarray(stat), out)
    t.refused("pickle.dump(stat), as data_loader.load_data_lira reads it", "pickle", ["--phi", file, "--membership", "mialibrary/in_indices.npy"], "pickle.load", CODE)
