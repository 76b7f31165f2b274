"""Classical forecasts of the series of `npm run bench -- demand`, by statsforecast, on the same rolling origins.

    pip install statsforecast==2.1.1
    npx tsx bench/demand/export.ts .cache/bench/demand
    python training/demand_classical.py .cache/bench/demand bench/demand/statsforecast.json

Figures per product, for the bench to put beside ours. Seasonal naive is there for the bench to see that the series, the origins
and the metrics are its own. `--only AutoARIMA --every 3` adds one model, on every third product.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoARIMA, AutoETS, SeasonalNaive, Theta

SEASON = {1: 7, 7: 4}  # steps, by days of a step
LEVEL = 80
METRICS = ("mase", "rmsse", "bias", "smape", "coverage80")


def models(season: int) -> dict:
    # The orders are bounded as a year of days leaves little to choose from, and 300 x 3 fits on one core should end.
    arima = AutoARIMA(season_length=season, max_p=2, max_q=2, max_P=1, max_Q=1, approximation=True)
    return {
        "SeasonalNaive": SeasonalNaive(season),
        "AutoETS": AutoETS(season_length=season),
        "Theta": Theta(season_length=season),
        "AutoARIMA": arima,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", type=Path)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--task")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    for task in json.loads((options.series / "tasks.json").read_text()):
        if options.task not in (None, task["name"]):
            continue
        table = pd.read_csv(options.series / f"{task['name']}.csv", dtype={"item": str})
        units = table.pivot(index="item", columns="date", values="value")
        units = units.loc[table.item.unique()[:: options.every]]  # the best-selling product first
        season = SEASON[task["stepDays"]]
        for name, model in models(season).items():
            if options.only not in (None, name):
                continue
            started = time.time()
            figures = score(units, model, name, season, task["horizon"], task["windows"], options.jobs)
            add(options.figures, task["name"], name, {"items": list(units.index), **figures})
            means = {metric: round(float(np.nanmean(figures[metric])), 4) for metric in METRICS}
            print(task["name"], name, len(units), f"{time.time() - started:.0f} s", means, flush=True)


def score(units: pd.DataFrame, model, name: str, season: int, horizon: int, windows: int, jobs: int) -> dict:
    """Figures per product, the mean over its origins; definitions as in src/forecast/demand-evaluation.ts."""
    actual = units.to_numpy(float)  # (products, steps)
    products, steps = actual.shape
    long = pd.DataFrame({"unique_id": np.repeat(units.index, steps), "ds": np.tile(np.arange(steps), products), "y": actual.ravel()})
    sf = StatsForecast(models=[model], freq=1, n_jobs=jobs)
    forecasts = sf.cross_validation(df=long, h=horizon, n_windows=windows, step_size=horizon, level=[LEVEL])
    by_step = {
        column: forecasts.pivot(index="unique_id", columns="ds", values=column).loc[units.index].to_numpy()
        for column in (name, f"{name}-lo-{LEVEL}", f"{name}-hi-{LEVEL}")
    }  # (products, windows * horizon)
    # Sales are never negative, so that no forecast needs to be.
    point, low, high = (np.maximum(0, values) for values in by_step.values())
    scores = {metric: [] for metric in METRICS}
    for window in range(windows):
        origin = steps - (windows - window) * horizon
        of = slice(window * horizon, (window + 1) * horizon)
        change = actual[:, season:origin] - actual[:, : origin - season]
        scale = nan_if_zero(np.abs(change).mean(1))
        sold, said = actual[:, origin : origin + horizon], point[:, of]
        error = said - sold
        scores["mase"].append(np.abs(error).mean(1) / scale)
        scores["rmsse"].append(np.sqrt((error**2).mean(1)) / nan_if_zero(np.sqrt((change**2).mean(1))))
        scores["bias"].append(error.mean(1) / scale)
        compared = np.where(np.isnan(scale), np.nan, 1)  # as the scaled ones: not where sales never changed before
        scores["smape"].append((2 * np.abs(error) / np.where(error == 0, 1, sold + said)).mean(1) * compared)
        scores["coverage80"].append(((sold >= low[:, of]) & (sold <= high[:, of])).mean(1) * compared)
    return {metric: [round(float(value), 5) for value in np.nanmean(values, 0)] for metric, values in scores.items()}


def nan_if_zero(values: np.ndarray) -> np.ndarray:
    return np.where(values == 0, np.nan, values)


def add(path: Path, task: str, model: str, figures: dict) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    known.setdefault(task, {})[model] = figures
    path.write_text(json.dumps(known, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
