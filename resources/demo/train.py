"""Trains a classifier that names the species of a penguin from its body measurements.

    python3 train.py                           trains, evaluates, writes model.json and metrics.json
    python3 train.py --predict 39.1 18.7 181 3750
                                               names the species of one bird with the saved model; the numbers are
                                               bill length, bill depth and flipper length in mm and body mass in g,
                                               and "?" stands for one that is not known

Needs nothing but the Python standard library (3.8 or newer). Where scikit-learn is installed, its models compete too.
Every candidate is linear, so the result is a small JSON file of weights whatever was chosen.
"""

import csv
import json
import math
import random
import sys

DATA = "penguins.csv"
TARGET = "species"
# The island is left out on purpose: two of the species were measured on one island only, so a model that sees it
# would learn where the birds were caught. The sex is left out because in the field it takes a blood test.
FEATURES = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
SEED = 20
TEST_SHARE = 0.2
FOLDS = 5
L2_CHOICES = [0.0, 0.001, 0.01]
STEPS = 200
LEARNING_RATE = 1.0


def load(path):
    """Rows of (measurements, species); a missing measurement is None. Birds without any measurement are left out."""
    with open(path, newline="", encoding="utf-8") as f:
        table = list(csv.DictReader(f))
    rows = [([float(r[c]) if r[c].strip() else None for c in FEATURES], r[TARGET]) for r in table]
    return [r for r in rows if any(v is not None for v in r[0])], len(table)


def by_class(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row[1], []).append(row)
    return [groups[name] for name in sorted(groups)]


def split(rows, rng):
    """A stratified split: every species gives the same share of its rows to the test part."""
    train, test = [], []
    for group in by_class(rows):
        group = group[:]
        rng.shuffle(group)
        n = round(len(group) * TEST_SHARE)
        test += group[:n]
        train += group[n:]
    rng.shuffle(train)
    return train, test


def folds(rows):
    """Stratified cross-validation: pairs of (training rows, validation rows)."""
    parts = [[] for _ in range(FOLDS)]
    for group in by_class(rows):
        for i, row in enumerate(group):
            parts[i % FOLDS].append(row)
    return [([r for j, part in enumerate(parts) if j != k for r in part], parts[k]) for k in range(FOLDS)]


def fit_scaler(rows):
    """Medians for gaps, means and standard deviations: from the training rows only, so nothing leaks."""
    scaler = {"median": [], "mean": [], "std": []}
    for j in range(len(FEATURES)):
        known = sorted(x[j] for x, _ in rows if x[j] is not None)
        middle = len(known) // 2
        median = known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
        filled = [median if x[j] is None else x[j] for x, _ in rows]
        mean = sum(filled) / len(filled)
        std = math.sqrt(sum((v - mean) ** 2 for v in filled) / len(filled)) or 1.0
        scaler["median"].append(median)
        scaler["mean"].append(mean)
        scaler["std"].append(std)
    return scaler


def scale(x, scaler):
    filled = [m if v is None else v for v, m in zip(x, scaler["median"])]
    return [(v - mean) / std for v, mean, std in zip(filled, scaler["mean"], scaler["std"])]


def softmax(scores):
    top = max(scores)
    powers = [math.exp(s - top) for s in scores]
    total = sum(powers)
    return [p / total for p in powers]


def probabilities(z, weights, bias):
    return softmax([b + sum(w * v for w, v in zip(ws, z)) for ws, b in zip(weights, bias)])


def gradient_descent(rows, classes, l2, log=None):
    """Multinomial logistic regression on scaled rows, full batch. Returns weights and bias, one line per class."""
    k, d, n = len(classes), len(FEATURES), len(rows)
    weights = [[0.0] * d for _ in range(k)]
    bias = [0.0] * k
    data = [(z, classes.index(y)) for z, y in rows]
    for step in range(1, STEPS + 1):
        grad_w = [[l2 * w for w in ws] for ws in weights]
        grad_b = [0.0] * k
        loss = 0.5 * l2 * sum(w * w for ws in weights for w in ws)
        hits = 0
        for z, y in data:
            p = probabilities(z, weights, bias)
            loss -= math.log(max(p[y], 1e-12)) / n
            hits += p.index(max(p)) == y
            for c in range(k):
                error = (p[c] - (c == y)) / n
                grad_b[c] += error
                row = grad_w[c]
                for j in range(d):
                    row[j] += error * z[j]
        if log and (step % 20 == 0 or step == 1):
            log(f"step={step} loss={loss:.4f} train_accuracy={hits / n:.4f}")
        for c in range(k):
            bias[c] -= LEARNING_RATE * grad_b[c]
            for j in range(d):
                weights[c][j] -= LEARNING_RATE * grad_w[c][j]
    return weights, bias


def sklearn_candidates():
    """Linear models of scikit-learn, when it is installed: name -> function that fits it. Empty without it."""
    try:
        import sklearn
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        return None, {}

    def fitter(make):
        def fit(rows, classes, log=None):
            model = make().fit([z for z, _ in rows], [classes.index(y) for _, y in rows])
            return [[float(w) for w in ws] for ws in model.coef_], [float(b) for b in model.intercept_]

        return fit

    return sklearn.__version__, {
        "linear discriminant analysis (scikit-learn)": fitter(lambda: LinearDiscriminantAnalysis()),
        "logistic regression, C=10 (scikit-learn)": fitter(lambda: LogisticRegression(C=10, max_iter=1000)),
    }


def fit_model(rows, classes, fit, log=None):
    scaler = fit_scaler(rows)
    weights, bias = fit([(scale(x, scaler), y) for x, y in rows], classes, log)
    return {"classes": classes, "features": FEATURES, **scaler, "weights": weights, "bias": bias}


def predict(model, x):
    """The most likely species and the probability of each."""
    p = probabilities(scale(x, model), model["weights"], model["bias"])
    return model["classes"][p.index(max(p))], p


def evaluate(truth, guesses, classes):
    confusion = [[sum(t == a and g == b for t, g in zip(truth, guesses)) for b in classes] for a in classes]
    per_class = {}
    for i, name in enumerate(classes):
        tp = confusion[i][i]
        support, predicted = sum(confusion[i]), sum(row[i] for row in confusion)
        precision = tp / predicted if predicted else 0.0
        recall = tp / support if support else 0.0
        f1 = 2 * precision * recall / (precision + recall) if tp else 0.0
        per_class[name] = {"precision": precision, "recall": recall, "f1": f1, "support": support}
    return {
        "accuracy": sum(t == g for t, g in zip(truth, guesses)) / len(truth),
        "macro_f1": sum(c["f1"] for c in per_class.values()) / len(classes),
        "per_class": per_class,
        "confusion_matrix": {"labels": classes, "rows_true_columns_predicted": confusion},
    }


def score(model, rows):
    return evaluate([y for _, y in rows], [predict(model, x)[0] for x, _ in rows], model["classes"])


def wilson(hits, n, z=1.96):
    """95 % interval of a share (Wilson), which stays honest for small n and for shares near 1."""
    share = hits / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return [max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n))]


def rounded(value):
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def main():
    def say(line):
        print(line, flush=True)

    rows, total = load(DATA)
    classes = sorted({y for _, y in rows})
    train, test = split(rows, random.Random(SEED))
    say(f"rows={total} used={len(rows)} train={len(train)} test={len(test)} classes={','.join(classes)}")

    def plain(l2):
        return lambda data, names, log=None: gradient_descent(data, names, l2, log)

    candidates = {f"logistic regression, l2={l2:g} (standard library)": plain(l2) for l2 in L2_CHOICES}
    sklearn_version, extra = sklearn_candidates()
    candidates.update(extra)
    say(f"scikit-learn: {sklearn_version or 'not installed, going on without it'}")

    say(f"\n{FOLDS}-fold cross-validation on the training part")
    tried = []
    for name, fit in candidates.items():
        scores = []
        for k, (part, held_out) in enumerate(folds(train), 1):
            scores.append(score(fit_model(part, classes, fit), held_out)["macro_f1"])
            say(f"fold={k} macro_f1={scores[-1]:.4f}  {name}")
        mean = sum(scores) / FOLDS
        std = math.sqrt(sum((s - mean) ** 2 for s in scores) / FOLDS)
        tried.append({"name": name, "cv_macro_f1_mean": mean, "cv_macro_f1_std": std})
    # The first of equals wins: the model that needs no library.
    best = max(tried, key=lambda c: round(c["cv_macro_f1_mean"], 4))
    say(f"selected: {best['name']} (macro-F1 {best['cv_macro_f1_mean']:.4f} +- {best['cv_macro_f1_std']:.4f})")

    say("\nfinal fit on the whole training part")
    model = fit_model(train, classes, candidates[best["name"]], log=say)

    # The test part is used here for the first time, and once.
    result = score(model, test)
    hits = sum(result["confusion_matrix"]["rows_true_columns_predicted"][i][i] for i in range(len(classes)))
    majority = max(classes, key=lambda name: sum(y == name for _, y in train))
    baseline = evaluate([y for _, y in test], [majority] * len(test), classes)
    metrics = {
        "seed": SEED,
        "data": {"file": DATA, "rows": total, "rows_used": len(rows), "train": len(train), "test": len(test)},
        "features": FEATURES,
        "baseline": {
            "name": f"always {majority}",
            "accuracy": baseline["accuracy"],
            "macro_f1": baseline["macro_f1"],
        },
        "candidates": tried,
        "selected": best["name"],
        "cv": {"folds": FOLDS, "macro_f1_mean": best["cv_macro_f1_mean"], "macro_f1_std": best["cv_macro_f1_std"]},
        "test": {**result, "correct": hits, "accuracy_ci95": wilson(hits, len(test))},
        "versions": {"python": sys.version.split()[0], "scikit-learn": sklearn_version},
    }
    write_json("metrics.json", rounded(metrics))
    write_json("model.json", model)

    say(f"\ntest ({len(test)} birds the model had never seen)")
    say(f"accuracy={result['accuracy']:.4f} macro_f1={result['macro_f1']:.4f}")
    say(f"baseline ({metrics['baseline']['name']}): accuracy={baseline['accuracy']:.4f}")
    width = max(len(name) for name in classes)
    say("confusion matrix (rows: true, columns: predicted)")
    say(" " * width + "".join(f"  {name:>{width}}" for name in classes))
    for name, row in zip(classes, result["confusion_matrix"]["rows_true_columns_predicted"]):
        say(f"{name:>{width}}" + "".join(f"  {n:>{width}}" for n in row))
    say("\nwrote model.json and metrics.json")


def predict_one(texts):
    if len(texts) != len(FEATURES):
        sys.exit(f"--predict needs {len(FEATURES)} values: {', '.join(FEATURES)}")
    with open("model.json", encoding="utf-8") as f:
        model = json.load(f)
    name, p = predict(model, [None if t == "?" else float(t) for t in texts])
    print(f"species: {name}")
    print("probabilities: " + ", ".join(f"{c} {v:.4f}" for c, v in zip(model["classes"], p)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--predict"]:
        predict_one(sys.argv[2:])
    else:
        main()
