"""Figures of statsforecast and utilsforecast that the tests of src/forecast's baselines and metrics are held against.

    pip install statsforecast==2.1.1 utilsforecast==0.2.17
    python training/reference_forecasts.py test/unit/forecast/reference-forecasts.json
"""

import json
import sys

import numpy as np
import pandas as pd
from statsforecast.models import TSB, CrostonClassic, CrostonSBA, Naive, SeasonalNaive, SeasonalWindowAverage, WindowAverage
from utilsforecast.losses import bias, coverage, mae, mase, rmsse, smape

STEPS, HORIZON, SEASON = 80, 10, 7


def main(path: str) -> None:
    rng = np.random.default_rng(3)
    series = [
        rng.poisson(6, STEPS),  # fast
        rng.poisson(6, STEPS) * (rng.uniform(size=STEPS) < 0.3),  # intermittent
        np.where(np.arange(STEPS) < 20, 0, rng.poisson(30, STEPS)),  # launched late
    ]
    models = {
        "last value": Naive(),
        "seasonal naive": SeasonalNaive(SEASON),
        "28-day mean": WindowAverage(28),
        "day-of-week mean": SeasonalWindowAverage(season_length=SEASON, window_size=8),
        "Croston": CrostonClassic(),
        "SBA": CrostonSBA(),
        "TSB": TSB(0.2, 0.2),
    }
    known = [values[:-HORIZON].astype(float) for values in series]
    forecasts = {name: [model.forecast(y=y, h=HORIZON)["mean"].tolist() for y in known] for name, model in models.items()}
    said = {column: rng.uniform(0, 12, (len(series), HORIZON)).round(2) for column in ("mean", "median")}
    said["low"], said["high"] = said["median"] * 0.4, said["median"] * 2
    reference = {
        "horizon": HORIZON,
        "series": [values.tolist() for values in series],
        "forecasts": forecasts,
        "said": {column: values.tolist() for column, values in said.items()},
        "metrics": metrics(series, said),
    }
    with open(path, "w") as file:
        json.dump(reference, file)
        file.write("\n")


def metrics(series: list, said: dict) -> dict:
    """Per series; scaled by the seasonal naive's error in the steps before."""
    rows = [(row, step, value) for row, values in enumerate(series) for step, value in enumerate(values)]
    table = pd.DataFrame(rows, columns=["unique_id", "ds", "y"]).astype({"y": float})
    train, test = table[table.ds < STEPS - HORIZON], table[table.ds >= STEPS - HORIZON].copy()
    test["median"], test["mean"] = said["median"].ravel(), said["mean"].ravel()
    test["median-lo-80"], test["median-hi-80"] = said["low"].ravel(), said["high"].ravel()
    scaled = mase(test, ["median"], SEASON, train)["median"]
    scale = mae(test, ["median"])["median"] / scaled
    return {
        "mase": scaled.tolist(),
        "rmsse": rmsse(test, ["mean"], SEASON, train)["mean"].tolist(),
        "bias": (bias(test, ["mean"])["mean"] / scale).tolist(),
        "smape": (2 * smape(test, ["median"])["median"]).tolist(),  # theirs is half of Makridakis'
        "coverage80": coverage(test, ["median"], 80)["median"].tolist(),
    }


if __name__ == "__main__":
    main(sys.argv[1])
