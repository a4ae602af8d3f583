"""Arrays: NumPy, PyTorch, JAX, TensorFlow, scikit-learn, XGBoost, LightGBM."""

import pickle
import warnings

import numpy as np

import world as w
from rows import FOUR, LARGE, LARGE_TWO, THREE, TWO, Tool, given, version
from world import C, M, N

Z, P, Y, K = THREE.logits, THREE.probabilities, THREE.labels, THREE.member
PHI = w.phi_of_logits(Z, Y)
# The logit of the second of two classes, and its probability.
D = (TWO.logits[..., 1] - TWO.logits[..., 0]).astype(np.float32)
PHI2 = w.phi_of_column(D, TWO.labels)
CHANCE = 1 / (1 + np.exp(-np.float64(D)))
CODE = "the file holds code"


def of(tool):
    """The path of a fixture, and how it is written in arguments."""

    def both(name):
        return tool.path(name), f"{tool.folder}/{name}"

    return both


def numpy_rows():
    t = Tool("NumPy", version("numpy"))
    at = of(t)

    def save(name, array, call, form=".npy", flag="logits", phi=PHI, world=THREE, **more):
        path, file = at(name)
        np.save(path, array)
        t.taken(call, form, given(flag, file, world, **more), phi, world)

    save("float32.npy", Z.astype("<f4"), "np.save(logits.astype(np.float32))")
    save("float64.npy", THREE.logits, "np.save(logits)")
    save("float16.npy", Z.astype("<f2"), "np.save(logits.astype(np.float16))")
    save("big_endian.npy", Z.astype(">f4"), "np.save(logits.astype('>f4'))")
    save("fortran.npy", np.asfortranarray(Z.astype("<f4")), "np.save(np.asfortranarray(logits))", ".npy in Fortran order")
    save("longdouble.npy", PHI.astype(np.longdouble), "np.save(phi.astype(np.longdouble))", flag="phi")
    save("integers.npy", np.round(8 * Z).astype(np.int8), "np.save(np.int8)", phi=w.phi_of_logits(np.round(8 * Z), Y))
    save("examples_first.npy", Z.astype("<f4").transpose(1, 0, 2), "np.save of (examples, models, classes)")
    views = np.stack([Z, THREE.mirrored], 2).astype("<f2")
    save("views.npy", views, "np.save of (models, examples, views, classes)", phi=w.phi_of_logits(views, Y))
    save("probabilities.npy", P.astype("<f4"), "np.save(softmax)", flag="probabilities", phi=w.phi_of_probabilities(P.astype("<f4"), Y))
    half = P.astype("<f2")
    save("half_probabilities.npy", half, "np.save(softmax.astype(np.float16))", flag="probabilities", phi=w.phi_of_probabilities(half, Y))
    rounded = P.round(3).astype("<f4")
    np.save(t.path("rounded.npy"), rounded)
    t.taken(
        "np.save(softmax.round(3))",
        ".npy",
        given("probabilities", "numpy/rounded.npy"),
        w.phi_of_probabilities(rounded, Y, w.shares(np.float64(rounded))),
    )
    p = (P * (np.arange(C) == Y[:, None])).sum(-1)
    save("phi.npy", PHI.astype("<f4"), "np.save(phi)", flag="phi")
    save("loss.npy", -np.log(p), "np.save(-np.log(p))", flag="loss", phi=w.phi_of_loss(-np.log(p)))
    save("confidence.npy", p, "np.save(p)", flag="confidence", phi=w.phi_of_confidence(p))
    loss = -np.log(p)
    loss[2, 5] = np.inf
    save("infinite_loss.npy", loss, "np.save(-np.log(p)), where one p is 0", flag="loss", phi=w.phi_of_loss(loss))

    path, file = at("memmap.npy")
    mapped = np.lib.format.open_memmap(path, "w+", "<f4", Z.shape)
    mapped[:] = Z
    mapped.flush()
    t.taken("np.lib.format.open_memmap", ".npy", given("logits", file), PHI)
    path, file = at("one.npz")
    np.savez(path, Z.astype("<f4"))
    t.taken("np.savez(logits), without a name", ".npz", given("logits", file), PHI)
    path, file = at("pool.npz")
    np.savez(path, logits=Z.astype("<f4"), labels=Y, membership=K)
    t.taken("np.savez(logits=, labels=, membership=)", ".npz", [file], PHI)
    path, file = at("pool_compressed.npz")
    np.savez_compressed(path, probs=P, y=Y, keep=K)
    t.taken("np.savez_compressed(probs=, y=, keep=)", ".npz", [file], w.phi_of_probabilities(P, Y))
    folder = t.path("folder")
    folder.mkdir()
    for name, array in [("losses", -np.log(p)), ("y_train", Y), ("in_mask", K)]:
        np.save(folder / f"{name}.npy", array)
    t.taken("np.save of losses, y_train and in_mask", "folder of .npy", ["numpy/folder"], w.phi_of_loss(-np.log(p)))

    # Labels and memberships.
    def labels(name, array, call):
        path, file = at(name)
        np.save(path, array)
        t.taken(call, "labels", given("logits", "numpy/float16.npy", labels=file), PHI)

    labels("labels_float.npy", Y.astype("<f8"), "np.save(labels.astype(float))")
    labels("labels_column.npy", Y[:, None].astype("u1"), "np.save(labels[:, None])")
    labels("labels_one_hot.npy", np.eye(C)[Y].astype("u1"), "np.save(np.eye(C)[labels])")
    labels("labels_text.npy", np.array(["cat", "dog", "emu"])[Y], "np.save(np.array(names)[labels])")
    labels("labels_bytes.npy", np.array([b"n2", b"n9", b"n10"])[Y], "np.save of bytes n2, n9 and n10")
    labels("labels_by_model.npy", np.tile(Y.astype("u1"), (M, 1)), "np.save(np.tile(labels, (M, 1)))")

    def membership(name, array, call):
        path, file = at(name)
        np.save(path, array)
        t.taken(call, "membership", given("logits", "numpy/float16.npy", membership=file), PHI)

    membership("member_int.npy", K.astype("<i8"), "np.save(membership.astype(int))")
    membership("member_turned.npy", K.T.copy(), "np.save(membership.T)")
    membership("member_fortran.npy", np.asfortranarray(K), "np.save(np.asfortranarray(membership))")
    membership("member_signs.npy", np.where(K, 1, -1).astype("i1"), "np.save(np.where(membership, 1, -1))")
    membership("member_255.npy", np.where(K, 255, 0).astype("u1"), "np.save(np.where(membership, 255, 0))")
    membership("member_text.npy", np.where(K, "train", "test"), "np.save(np.where(membership, 'train', 'test'))")
    membership("member_positions.npy", np.stack([np.flatnonzero(k) for k in K]), "np.save(np.stack([np.flatnonzero(m) for m in membership]))")

    # What is refused.
    path, file = at("class1.npy")
    np.save(path, LARGE_TWO.probabilities[..., 1].astype("<f4"))
    t.refused("np.save of the probability of class 1, given as --confidence", ".npy", given("confidence", file, LARGE_TWO), "give it as --probabilities of one column", "the number is the label's probability, or class 1's")
    path, file = at("signs.npy")
    np.save(path, np.where(TWO.labels == 1, 1, -1))
    np.save(t.path("two.npy"), TWO.logits.astype("<f4"))
    t.refused("np.save of labels -1 and 1", "labels", given("logits", "numpy/two.npy", TWO, labels=file), "(labels + 1) // 2", "-1 is the first class, or the second")
    path, file = at("one_and_two.npy")
    np.save(path, 1 + K.astype("u1"))
    t.refused("np.save of a membership of 1 and 2", "membership", given("logits", "numpy/float16.npy", membership=file), "which of them is a member?", "2 says member, or 1 does")
    path, file = at("uneven.npy")
    uneven = np.empty(M, object)
    uneven[:] = [np.flatnonzero(k)[: 24 - m] for m, k in enumerate(K)]
    np.save(path, uneven)
    t.refused("np.save of lists of different lengths", ".npy of objects", given("logits", "numpy/float16.npy", membership=file), "pickle", CODE)
    path, file = at("records.npy")
    np.save(path, np.array([tuple(r) for r in Z.reshape(-1, C).astype("<f4")], dtype=[(f"c{k}", "<f4") for k in range(C)]).reshape(M, N))
    t.refused("np.save of a structured array", ".npy of records", given("logits", file), "is a structured array", "fields are classes, or different things")
    path, file = at("dump.pkl")
    Z.astype("<f4").dump(path)
    t.refused("logits.dump(file)", "pickle", given("logits", file), "pickle.load", CODE)
    path, file = at("percent.npy")
    np.save(path, (100 * P).astype("<f4"))
    t.refused("np.save(100 * softmax)", ".npy", given("probabilities", file), "divide by 100", "rows that sum to 100 are per cent, or logits")
    path, file = at("two_labels.npz")
    np.savez(path, logits=Z.astype("<f2"), y=Y[::-1], y_train=Y, keep=K)
    t.refused("np.savez(logits=, y=, y_train=, keep=)", ".npz", [file], "could both be the labels", "two arrays could be the labels")
    path, file = at("by_model.npz")
    np.savez(path, *Z.astype("<f2"))
    t.refused("np.savez(*logits), one array per model", ".npz", given("logits", file), "numpy.stack", "arrays without names are models, or anything else")
    path, file = at("raw.bin")
    Z.astype("<f4").tofile(path)
    t.refused("logits.tofile(file)", "bytes", given("logits", file), "save it with numpy.save", "bytes have no shape and no type: 8 x 48 x 3 of float32, or any other")
    path, file = at("shuffled_columns.npy")
    np.save(path, LARGE.logits[..., [1, 2, 3, 0]].astype("<f2"))
    t.refused("np.save of columns in another order", ".npy", given("logits", file, LARGE), "outputs[..., [", "columns stand in another order, or labels do")
    path, file = at("probabilities_as_logits.npy")
    t.refused("np.save(softmax), given as --logits", ".npy", given("logits", "numpy/probabilities.npy"), "give it as --probabilities", "numbers are probabilities, or logits within 0 and 1")


def torch_rows():
    import torch
    import torch.nn.functional as F
    from safetensors.torch import save_file

    t = Tool("PyTorch", version("torch").split("+")[0])
    at = of(t)
    z = torch.from_numpy(Z.astype("<f4"))
    y, k = torch.from_numpy(Y), torch.from_numpy(K)

    def save(name, tensor, call, flag="logits", phi=PHI, world=THREE, **more):
        path, file = at(name)
        np.save(path, tensor)
        t.taken(call, ".npy", given(flag, file, world, **more), phi, world)

    save("cpu_numpy.npy", z.detach().cpu().numpy(), "np.save(logits.detach().cpu().numpy())")
    save("half.npy", z.half().numpy(), "np.save(logits.half().numpy())")
    save("views.npy", torch.stack([z, z.flip(1)], 2).numpy(), "np.save(torch.stack([plain, flipped], 2).numpy())", phi=w.phi_of_logits(np.stack([Z, Z[:, ::-1]], 2), Y))
    log_p = F.log_softmax(z, -1).numpy()
    save("log_softmax.npy", log_p, "np.save(F.log_softmax(logits, -1).numpy())", phi=w.phi_of_logits(log_p, Y))
    save("log_softmax.npy", log_p, "the same, given as --probabilities", flag="probabilities", phi=w.phi_of_logits(log_p, Y))
    p = F.softmax(z, -1)
    save("softmax.npy", p.numpy(), "np.save(F.softmax(logits, -1).numpy())", flag="probabilities", phi=w.phi_of_probabilities(p.numpy(), Y))
    loss = F.cross_entropy(z.reshape(-1, C), y.repeat(M), reduction="none").reshape(M, N).numpy()
    save("cross_entropy.npy", loss, "np.save(F.cross_entropy(..., reduction='none').numpy())", flag="loss", phi=w.phi_of_loss(loss))
    d = torch.from_numpy(D)
    save("one_logit.npy", d[..., None].numpy(), "np.save of one logit per example, (M, N, 1)", phi=PHI2, world=TWO)
    s = torch.sigmoid(d)
    save("sigmoid.npy", s[..., None].numpy(), "np.save(torch.sigmoid(logits).numpy()), (M, N, 1)", flag="probabilities", phi=w.phi_of_chance(s.numpy(), TWO.labels), world=TWO)
    bce = F.binary_cross_entropy_with_logits(d, torch.from_numpy(TWO.labels).float().repeat(M, 1), reduction="none").numpy()
    save("bce.npy", bce, "np.save(F.binary_cross_entropy_with_logits(..., reduction='none').numpy())", flag="loss", phi=w.phi_of_loss(bce), world=TWO)
    nested = torch.nested.nested_tensor([z[m] for m in range(M)]).to_padded_tensor(0.0)
    save("nested.npy", nested.numpy(), "torch.nested.nested_tensor(...).to_padded_tensor(0)")

    t.refused("torch.sigmoid(logits), (M, N, 1), given as --logits", ".npy", given("logits", "pytorch/sigmoid.npy", TWO), "give the one column as --probabilities", "numbers from 0 to 1 are probabilities, or logits of a narrow range")
    t.refused("F.softmax(logits, -1), given as --confidence", ".npy", given("confidence", "pytorch/softmax.npy"), "no views", "values stand for classes, or for views")
    t.refused("logits given as --phi", ".npy", given("phi", "pytorch/cpu_numpy.npy"), "no views", "values stand for classes, or for views")
    bits = z.bfloat16().view(torch.int16).numpy()
    np.save(t.path("bits.npy"), bits)
    t.refused("np.save(logits.bfloat16().view(torch.int16).numpy())", ".npy of int16", given("logits", "pytorch/bits.npy"), "bits of bf16", "integers of 16 bits are numbers, or the bits of others")

    short = np.zeros_like(z.numpy())
    for batch in torch.utils.data.DataLoader(torch.arange(N), batch_size=20, drop_last=True):
        short[:, batch.numpy()] = z[:, batch].numpy()
    np.save(t.path("drop_last.npy"), short.astype("<f2"))
    t.taken("np.zeros filled by a DataLoader with drop_last=True", ".npy", given("logits", "pytorch/drop_last.npy"), w.phi_of_logits(short, Y), note="the headline says that rows were never filled")

    tensors = {"logits": z, "labels": y, "membership": k}
    path, file = at("pool.safetensors")
    save_file(tensors, path)
    t.named("safetensors.torch.save_file({logits, labels, membership})", ".safetensors", file, PHI)
    path, file = at("bf16.safetensors")
    save_file({**tensors, "logits": z.bfloat16()}, path)
    t.named("safetensors.torch.save_file, logits.bfloat16()", ".safetensors", file, PHI)
    path, file = at("bf16_probabilities.safetensors")
    p16 = F.softmax(z.bfloat16(), -1)
    save_file({"probabilities": p16}, path)
    t.taken("safetensors.torch.save_file, softmax in bfloat16", ".safetensors", given("probabilities", file), w.phi_of_probabilities(p16.float().numpy(), Y))
    path, file = at("one_hot.safetensors")
    save_file({"logits": z.half(), "labels": F.one_hot(y), "membership": k.byte()}, path)
    t.named("safetensors.torch.save_file, F.one_hot(labels)", ".safetensors", file, PHI)
    path, file = at("named.npz")
    np.savez(path, logits=z.half().numpy(), targets=y.numpy(), keep=k.numpy())
    t.taken("np.savez(logits=, targets=, keep=)", ".npz", [file], PHI)

    path, file = at("logits.pt")
    torch.save(z.half(), path)
    t.refused("torch.save(logits)", ".pt", given("logits", file), "torch.load", CODE)
    path, file = at("legacy.pt")
    torch.save(z.half(), path, _use_new_zipfile_serialization=False)
    t.refused("torch.save(..., _use_new_zipfile_serialization=False)", ".pt", given("logits", file), "torch.load", CODE)
    path, file = at("tensors.pkl")
    with open(path, "wb") as out:
        pickle.dump({"logits": z.half().numpy()}, out)
    t.refused("pickle.dump", "pickle", given("logits", file), "pickle.load", CODE)


def jax_rows():
    import jax
    import jax.numpy as jnp
    import optax
    from safetensors.flax import save_file

    t = Tool("JAX", version("jax"))
    at = of(t)
    z = jnp.asarray(Z, jnp.float32)

    def save(name, array, call, flag="logits", phi=PHI, world=THREE, form=".npy", **more):
        path, file = at(name)
        jnp.save(path, array)
        t.taken(call, form, given(flag, file, world, **more), phi, world)

    save("float32.npy", z, "jnp.save(logits)")
    save("bfloat16.npy", z.astype(jnp.bfloat16), "jnp.save(logits.astype(jnp.bfloat16))", form=".npy of <V2")
    log_p = jax.nn.log_softmax(z)
    save("log_softmax.npy", log_p, "jnp.save(jax.nn.log_softmax(logits))", phi=w.phi_of_logits(np.asarray(log_p), Y))
    p = jax.nn.softmax(z.astype(jnp.bfloat16))
    p = np.asarray(p)
    np.save(t.path("softmax16.npy"), p)
    t.taken("jnp.save(jax.nn.softmax(logits)) in bfloat16", ".npy of <V2", given("probabilities", "jax/softmax16.npy"), w.phi_of_probabilities(np.float64(p), Y))
    loss = optax.softmax_cross_entropy_with_integer_labels(z, jnp.tile(Y, (M, 1)))
    save("optax.npy", loss, "jnp.save(optax.softmax_cross_entropy_with_integer_labels(...))", flag="loss", phi=w.phi_of_loss(np.asarray(loss)))
    jnp.save(t.path("one_hot.npy"), jax.nn.one_hot(Y, C))
    t.taken("jnp.save(jax.nn.one_hot(labels, C))", "labels", given("logits", "jax/bfloat16.npy", labels="jax/one_hot.npy"), PHI)
    path, file = at("pool.npz")
    jnp.savez(path, logits=z, labels=jnp.asarray(Y), membership=jnp.asarray(K))
    t.taken("jnp.savez(logits=, labels=, membership=)", ".npz", [file], PHI)
    path, file = at("pool.safetensors")
    save_file({"logits": z.astype(jnp.bfloat16), "labels": jnp.asarray(Y), "membership": jnp.asarray(K)}, path)
    t.named("safetensors.flax.save_file, bfloat16", ".safetensors", file, PHI)
    s = jax.nn.sigmoid(jnp.asarray(D))
    save("sigmoid.npy", s, "jnp.save(jax.nn.sigmoid(logits)), (M, N)", flag="probabilities", phi=w.phi_of_chance(np.asarray(s), TWO.labels), world=TWO)
    path, file = at("logits.pkl")
    with open(path, "wb") as out:
        pickle.dump(np.asarray(z, np.float16), out)
    t.refused("pickle.dump(logits)", "pickle", given("logits", file), "pickle.load", CODE)


def tensorflow_rows():
    import tensorflow as tf

    t = Tool("TensorFlow", version("tensorflow-cpu"))
    at = of(t)
    z = tf.constant(Z, tf.float32)

    def save(name, array, call, flag="logits", phi=PHI, world=THREE, **more):
        path, file = at(name)
        np.save(path, array)
        t.taken(call, ".npy", given(flag, file, world, **more), phi, world)

    identity = tf.keras.Sequential([tf.keras.layers.Input((C,)), tf.keras.layers.Activation("linear")])
    out = np.stack([identity.predict(z[m], verbose=0) for m in range(M)])
    save("predict.npy", out, "np.save(np.stack([m.predict(x) for m in models])), linear", phi=PHI)
    soft = tf.keras.Sequential([tf.keras.layers.Input((C,)), tf.keras.layers.Softmax()])
    p = np.stack([soft.predict(z[m], verbose=0) for m in range(M)])
    save("softmax.npy", p, "np.save(np.stack([m.predict(x) for m in models])), softmax", flag="probabilities", phi=w.phi_of_probabilities(p, Y))
    sure = tf.keras.Sequential([tf.keras.layers.Input((1,)), tf.keras.layers.Activation("sigmoid")])
    s = np.stack([sure.predict(D[m][:, None], verbose=0) for m in range(M)])
    save("sigmoid.npy", s, "np.save(np.stack([m.predict(x) for m in models])), sigmoid", flag="probabilities", phi=w.phi_of_chance(s[..., 0], TWO.labels), world=TWO)
    loss = np.stack([tf.keras.losses.sparse_categorical_crossentropy(Y, z[m], from_logits=True) for m in range(M)])
    save("loss.npy", loss, "np.save(sparse_categorical_crossentropy(..., from_logits=True))", flag="loss", phi=w.phi_of_loss(loss))
    np.save(t.path("categorical.npy"), tf.keras.utils.to_categorical(Y))
    t.taken("np.save(tf.keras.utils.to_categorical(labels))", "labels", given("logits", "tensorflow/predict.npy", labels="tensorflow/categorical.npy"), PHI)
    save("bfloat16.npy", tf.cast(z, tf.bfloat16).numpy(), "np.save(tf.cast(logits, tf.bfloat16).numpy())")


def examples(classes, n=N, seed=5):
    """Examples of overlapping classes, for real models."""
    from sklearn.datasets import make_classification

    x, y = make_classification(n, 6, n_informative=4, n_redundant=0, n_classes=classes, n_clusters_per_class=1, class_sep=0.7, flip_y=0.1, random_state=seed)
    return x, y


def fitted(make, x, y, member):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [make().fit(x[k], y[k]) for k in member]


def stacked(models, x, method, **more):
    return np.stack([getattr(model, method)(x, **more) for model in models])


def sklearn_rows():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    t = Tool("scikit-learn", version("scikit-learn"), "sklearn")
    at = of(t)
    x, y = examples(3)
    np.save(t.path("labels.npy"), y)
    mine = "sklearn/labels.npy"

    def save(name, array, call, flag, phi, labels=mine, member=K):
        path, file = at(name)
        np.save(path, array)
        world = type("", (), {"member": member})
        t.taken(call, ".npy", given(flag, file, labels=labels), phi, world)

    mlp = fitted(lambda: MLPClassifier((16,), max_iter=120, random_state=0), x, y, K)
    p = stacked(mlp, x, "predict_proba").astype("<f4")
    save("mlp_proba.npy", p, "MLPClassifier.predict_proba(X)", "probabilities", w.phi_of_probabilities(p, y))
    log_p = stacked(mlp, x, "predict_log_proba").astype("<f4")
    save("mlp_log_proba.npy", log_p, "MLPClassifier.predict_log_proba(X)", "probabilities", w.phi_of_logits(log_p, y))
    linear = fitted(lambda: LogisticRegression(C=100, max_iter=200), x, y, K)
    z = stacked(linear, x, "decision_function").astype("<f4")
    save("decision.npy", z, "LogisticRegression.decision_function(X)", "logits", w.phi_of_logits(z, y))
    rest = fitted(lambda: SVC(decision_function_shape="ovr", C=50, random_state=0), x, y, K)
    z = stacked(rest, x, "decision_function").astype("<f4")
    save("svc_ovr.npy", z, "SVC.decision_function(X), one against the rest", "logits", w.phi_of_logits(z, y))
    nb = fitted(GaussianNB, x, y, K)
    p = stacked(nb, x, "predict_proba")
    save("naive_bayes.npy", p, "GaussianNB.predict_proba(X)", "probabilities", w.phi_of_probabilities(p, y))
    forest = fitted(lambda: RandomForestClassifier(10, random_state=0), x, y, K)
    p = stacked(forest, x, "predict_proba")
    save("forest.npy", p, "RandomForestClassifier.predict_proba(X), shares of 10 votes", "probabilities", w.phi_of_probabilities(p, y, w.shares(p)))
    with np.errstate(divide="ignore"):
        log_p = stacked(forest, x, "predict_log_proba")
    save("forest_log.npy", log_p, "RandomForestClassifier.predict_log_proba(X), -inf among them", "logits", w.phi_of_logits(log_p, y))
    knn = fitted(lambda: KNeighborsClassifier(5), x, y, K)
    p = stacked(knn, x, "predict_proba")
    save("neighbours.npy", p, "KNeighborsClassifier(5).predict_proba(X)", "probabilities", w.phi_of_probabilities(p, y, w.shares(p)))
    labels = stacked(mlp, x, "predict")
    right = np.where(labels == y, np.inf, -np.inf)
    save("predict.npy", labels, "MLPClassifier.predict(X)", "probabilities", w.single(right))

    x2, y2 = examples(2)
    np.save(t.path("labels2.npy"), y2)
    two = fitted(lambda: LogisticRegression(C=100), x2, y2, K)
    d = stacked(two, x2, "decision_function").astype("<f4")
    save("decision2.npy", d, "LogisticRegression.decision_function(X), two classes", "logits", w.phi_of_column(d, y2), "sklearn/labels2.npy")
    p = stacked(two, x2, "predict_proba")
    save("proba2.npy", p[..., 1], "LogisticRegression.predict_proba(X)[:, 1]", "probabilities", w.phi_of_chance(p[..., 1], y2), "sklearn/labels2.npy")
    x2, y2 = examples(2, 160)
    two = fitted(lambda: MLPClassifier((64,), max_iter=800, random_state=0, learning_rate_init=0.01), x2, y2, LARGE_TWO.member)
    p = stacked(two, x2, "predict_proba").astype("<f4")
    np.save(t.path("labels_large2.npy"), y2.astype("u1"))
    path, file = at("proba0.npy")
    np.save(path, p[..., 0])
    t.refused("MLPClassifier.predict_proba(X)[:, 0]", ".npy", given("probabilities", file, LARGE_TWO, "sklearn/labels_large2.npy"), "give 1 less it", "the column is the second class's, or the first's")
    surer = fitted(lambda: MLPClassifier((64,), max_iter=200, random_state=0, learning_rate_init=0.01), x2, y2, LARGE_TWO.member)
    path, file = at("proba1.npy")
    np.save(path, stacked(surer, x2, "predict_proba")[..., 1].astype("<f4"))
    t.refused(
        "MLPClassifier.predict_proba(X)[:, 1], given as --confidence",
        ".npy",
        given("confidence", file, LARGE_TWO, "sklearn/labels_large2.npy"),
        "give it as --probabilities of one column", "a number is the label's probability, or that of class 1",
    )

    x4, y4 = examples(4)
    np.save(t.path("labels4.npy"), y4.astype("u1"))
    ovo = fitted(lambda: SVC(decision_function_shape="ovo", C=50), x4, y4, FOUR.member)
    path, file = at("svc_ovo.npy")
    np.save(path, stacked(ovo, x4, "decision_function").astype("<f4"))
    t.refused("SVC.decision_function(X), one against one", ".npy", given("logits", file, FOUR, labels="sklearn/labels4.npy"), "6 columns", "a column is a class, or a pair of classes")
    import joblib

    path, file = at("proba.joblib")
    joblib.dump(p.astype("<f4"), path)
    t.refused("joblib.dump(probabilities)", "pickle", given("probabilities", file, labels="sklearn/labels2.npy"), "joblib.load", CODE)


def boosting_rows():
    import lightgbm
    import xgboost

    x, y = examples(3)
    x2, y2 = examples(2)
    labels, labels2 = "sklearn/labels.npy", "sklearn/labels2.npy"

    def saver(t):
        at = of(t)

        def save(name, array, call, flag, phi, labels=labels):
            path, file = at(name)
            np.save(path, array)
            t.taken(call, ".npy", given(flag, file, labels=labels), phi)

        return save

    small = {"n_estimators": 12, "max_depth": 2, "n_jobs": 1}
    save = saver(Tool("XGBoost", version("xgboost-cpu")))
    models = fitted(lambda: xgboost.XGBClassifier(**small), x, y, K)
    p = stacked(models, x, "predict_proba")
    save("proba.npy", p, "XGBClassifier.predict_proba(X)", "probabilities", w.phi_of_probabilities(p, y))
    z = stacked(models, x, "predict", output_margin=True)
    save("margin.npy", z, "XGBClassifier.predict(X, output_margin=True)", "logits", w.phi_of_logits(z, y))
    two = fitted(lambda: xgboost.XGBClassifier(**small), x2, y2, K)
    s = np.stack([m.get_booster().predict(xgboost.DMatrix(x2)) for m in two])
    save("logistic.npy", s, "Booster.predict(DMatrix), binary:logistic", "probabilities", w.phi_of_chance(s, y2), labels2)
    d = np.stack([m.get_booster().predict(xgboost.DMatrix(x2), output_margin=True) for m in two])
    save("margin2.npy", d, "Booster.predict(DMatrix, output_margin=True), binary:logistic", "logits", w.phi_of_column(d, y2), labels2)
    classes = stacked(models, x, "predict")
    save("classes.npy", classes, "XGBClassifier.predict(X)", "probabilities", w.single(np.where(classes == y, np.inf, -np.inf)))

    save = saver(Tool("LightGBM", version("lightgbm")))
    small = {"n_estimators": 12, "num_leaves": 4, "min_child_samples": 2, "n_jobs": 1, "verbose": -1, "deterministic": True}
    models = fitted(lambda: lightgbm.LGBMClassifier(**small), x, y, K)
    p = stacked(models, x, "predict_proba")
    save("proba.npy", p, "LGBMClassifier.predict_proba(X)", "probabilities", w.phi_of_probabilities(p, y))
    z = stacked(models, x, "predict", raw_score=True)
    save("raw.npy", z, "LGBMClassifier.predict(X, raw_score=True)", "logits", w.phi_of_logits(z, y))
    two = fitted(lambda: lightgbm.LGBMClassifier(**small), x2, y2, K)
    s = np.stack([m.booster_.predict(x2) for m in two])
    save("binary.npy", s, "Booster.predict(X), objective binary", "probabilities", w.phi_of_chance(s, y2), labels2)
    d = np.stack([m.booster_.predict(x2, raw_score=True) for m in two])
    save("raw2.npy", d, "Booster.predict(X, raw_score=True), objective binary", "logits", w.phi_of_column(d, y2), labels2)
