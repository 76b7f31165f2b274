"""Figures of ranx, scikit-learn and RecTools that the tests of src/evaluate are held against.

    pip install ranx==0.3.21 scikit-learn==1.9.1 RecTools==0.19.0
    python training/reference_metrics.py test/unit/evaluate/reference-metrics.json
"""

import json
import sys

import numpy as np
import pandas as pd
from ranx import Qrels, Run, evaluate
from rectools.metrics import AvgRecPopularity, CatalogCoverage, IntraListDiversity, MeanInvUserFreq
from rectools.metrics.distances import PairwiseDistanceCalculator
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, auc, roc_auc_score
from sklearn.metrics.pairwise import cosine_distances

ITEMS, LISTS, LENGTH, K = 60, 12, 25, 10
DIMENSIONS, HISTORY_USERS, PREDICTIONS, BINS = 4, 20, 80, 15


def main(path: str) -> None:
    rng = np.random.default_rng(5)
    ranked = [rng.permutation(ITEMS)[:LENGTH].tolist() for _ in range(LISTS)]
    ranked[3] = ranked[3][:4]  # a list that is shorter than k
    relevant = [sorted(rng.choice(ITEMS, size, replace=False).tolist()) for size in ([1] * 6 + [2, 3, 8, 15, 30, 5])]
    for row in range(6):  # the single ones at every kind of place, one nowhere
        relevant[row] = [ranked[row][[0, 3, 9, 1, 14, 10][row]]]
    ranked[2] = [item for item in ranked[2] if item not in relevant[2]]
    history = pd.DataFrame(
        [(user, item) for user in range(HISTORY_USERS) for item in rng.choice(ITEMS - 10, rng.integers(1, 12), replace=False, p=zipf(ITEMS - 10))],
        columns=["user_id", "item_id"],
    )
    vectors = rng.normal(size=(ITEMS, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    probabilities = rng.uniform(size=PREDICTIONS).round(3)
    outcomes = (rng.uniform(size=PREDICTIONS) < probabilities**2).astype(int)
    scores = rng.integers(0, 9, size=PREDICTIONS)  # with many ties
    predicted, actual = rng.integers(0, 4, size=(2, PREDICTIONS))

    reference = {
        "ranked": ranked,
        "relevant": relevant,
        "k": K,
        "items": ITEMS,
        "vectors": vectors.tolist(),
        "dimensions": DIMENSIONS,
        "history": history.values.tolist(),
        "historyUsers": int(history["user_id"].nunique()),
        "scores": scores.tolist(),
        "probabilities": probabilities.tolist(),
        "outcomes": outcomes.tolist(),
        "bins": BINS,
        "predicted": predicted.tolist(),
        "actual": actual.tolist(),
        "ranking": ranking_figures(ranked, relevant),
        "lists": list_figures(ranked, history, vectors),
        "auc": roc_auc_score(outcomes, scores),
        "accuracy": accuracy_score(actual, predicted),
        "calibrationError": calibration_error(probabilities, outcomes),
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(reference, file)
        file.write("\n")


def zipf(count: int) -> np.ndarray:
    weights = 1 / np.arange(1, count + 1)
    return weights / weights.sum()


def ranking_figures(ranked: list[list[int]], relevant: list[list[int]]) -> dict[str, list[float]]:
    """ranx, one value per list."""
    names = {"hitRate": "hit_rate", "precision": "precision", "recall": "recall", "f1": "f1", "reciprocalRank": "mrr", "ndcg": "ndcg"}
    qrels = Qrels({f"{row:02}": {str(item): 1 for item in items} for row, items in enumerate(relevant)})
    run = Run({f"{row:02}": {str(item): float(len(items) - place) for place, item in enumerate(items)} for row, items in enumerate(ranked)})
    figures = evaluate(qrels, run, [f"{name}@{K}" for name in names.values()], return_mean=False)
    return {ours: figures[f"{theirs}@{K}"].tolist() for ours, theirs in names.items()}


class CosineDistances(PairwiseDistanceCalculator):
    """scikit-learn's distances, as RecTools asks for them."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.distances = cosine_distances(vectors)

    def _get_distances_for_item_pairs(self, items_0, items_1) -> np.ndarray:
        return self.distances[np.asarray(items_0), np.asarray(items_1)]


def list_figures(ranked: list[list[int]], history: pd.DataFrame, vectors: np.ndarray) -> dict[str, object]:
    """RecTools, one value per list or one for all; Gini as scikit-learn's area under the Lorenz curve."""
    reco = pd.DataFrame(
        [(row, item, place + 1) for row, items in enumerate(ranked) for place, item in enumerate(items)], columns=["user_id", "item_id", "rank"]
    )
    shown = reco.loc[reco["rank"] <= K, "item_id"].value_counts().reindex(range(ITEMS), fill_value=0).sort_values().to_numpy()
    lorenz = np.concatenate([[0], np.cumsum(shown) / shown.sum()])
    return {
        "coverage": CatalogCoverage(k=K, normalize=True).calc(reco, range(ITEMS)),
        "gini": 1 - 2 * auc(np.linspace(0, 1, ITEMS + 1), lorenz),
        "diversity": IntraListDiversity(k=K, distance_calculator=CosineDistances(vectors)).calc_per_user(reco).sort_index().tolist(),
        "novelty": MeanInvUserFreq(k=K).calc_per_user(reco, history).sort_index().tolist(),
        "popularityBias": AvgRecPopularity(k=K, normalize=True).calc_per_user(reco, history).sort_index().tolist(),
    }


def calibration_error(probabilities: np.ndarray, outcomes: np.ndarray) -> float:
    """scikit-learn's reliability curve, weighted by the size of its bins that are not empty."""
    came_true, predicted = calibration_curve(outcomes, probabilities, n_bins=BINS)
    sizes = np.histogram(probabilities, bins=BINS, range=(0, 1))[0]
    return float(np.abs(came_true - predicted) @ sizes[sizes > 0] / len(outcomes))


if __name__ == "__main__":
    main(sys.argv[1])
