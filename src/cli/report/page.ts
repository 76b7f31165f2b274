import { plotCalibration, plotCoverage, plotCurve, plotGrouping, plotKey, plotRankers } from './plots.ts';
import type { Estimate, Evaluation, Grouping, NextPurchaseErrors, TrainingCurve, TrainingReport, WindowFigure } from './report-data.ts';
import { STYLE } from './style.ts';

/** Others drawn beside ours in plots of groups; their tables have all. */
const OTHERS_DRAWN = 3;

/** The report as one page: no script, nothing fetched. */
export function renderReport(report: TrainingReport): string {
  const { pack, data, seed, interrupted, curves, nextPurchase, windows, evaluation } = report;
  const day = (iso: string): string => iso.slice(0, 10);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(pack.name)}: training report</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escape(pack.name)}: training report</h1>
<p>Pack revision <code>${escape(pack.revision)}</code>, seed ${seed}. ${count(data.interactions)} interactions of ${count(data.shoppers)} shoppers with ${count(data.items)} items${data.until === null ? '' : `, until ${day(data.until)}`}. Protocol ${data.protocol}: ${count(data.heldBack)} of them held back for validation${data.validationFrom === null ? '' : `, from ${day(data.validationFrom)} on`}.</p>
${interrupted ? '<p class="note">The training was interrupted; this is the best epoch so far.</p>' : ''}
</header>
${evaluation ? renderEvaluation(evaluation) : '<p class="note">Nothing was held out to compare rankers on.</p>'}
${nextPurchase ? renderNextPurchase(nextPurchase) : ''}
${windows.length > 0 ? renderWindows(windows) : ''}
${curves.map(renderCurves).join('\n')}
</main>
</body>
</html>
`;
}

function renderEvaluation({ protocol, queries, shoppers, ours, metric, rankers, groupings, calibration }: Evaluation): string {
  const ranked = [...rankers].sort((a, b) => b.metrics[metric]!.value - a.metrics[metric]!.value);
  const drawn = [ours, ...ranked.map(({ name }) => name).filter((name) => name !== ours)].slice(0, 1 + OTHERS_DRAWN);
  const metrics = Object.keys(ranked[0]?.metrics ?? {});
  const covered = [...rankers].sort((a, b) => b.coverage - a.coverage);
  return `<section>
<h2>Quality</h2>
<p>${escape(protocol)} ${count(queries)} queries of ${count(shoppers)} shoppers; intervals are 95 %.</p>
<div class="figures">
${figure(`${metric} of each ranker`, plotRankers(ranked, metric, ours), table(['Ranker', ...metrics], ranked.map(({ name, metrics: values }) => [name, ...metrics.map((key) => estimate(values[key]!))])))}
${groupings.map((grouping) => renderGrouping(grouping, metric, drawn, ranked.map(({ name }) => name))).join('\n')}
${
  calibration
    ? figure(
        'Calibration',
        plotCalibration(calibration),
        table(['Predicted', 'Observed', 'Candidates'], calibration.bins.map(({ predicted, observed, count: size }) => [predicted.toFixed(4), estimate(observed), count(size)])),
        `How often what ${escape(calibration.ranker)} gave a probability came true. Mean distance from the diagonal: ${calibration.error.toFixed(4)}.`,
      )
    : ''
}
${figure('Coverage', plotCoverage(covered, ours), table(['Ranker', 'Share of items'], covered.map(({ name, coverage }) => [name, percent(coverage)])), 'Share of the catalogue that was among some first ten.')}
</div>
</section>`;
}

function renderGrouping(grouping: Grouping, metric: string, drawn: readonly string[], names: readonly string[]): string {
  const { by, groups } = grouping;
  const key = `<ul class="key">${drawn.map((name, index) => `<li>${plotKey(index)}${escape(name)}</li>`).join('')}</ul>`;
  const rows = groups.map(({ label, queries, rankers }) => [label, count(queries), ...names.map((name) => (rankers[name] ? estimate(rankers[name]) : '–'))]);
  return figure(`${metric} by ${by.toLowerCase()}`, `${key}${plotGrouping(grouping, metric, drawn)}`, table([by, 'Queries', ...names], rows));
}

function renderNextPurchase({ model, medianGap, ownMedianGap }: NextPurchaseErrors): string {
  const rows = [['interest model', model], ['median gap of all shoppers', medianGap], ['each shopper’s own median gap', ownMedianGap]] as const;
  return `<section>
<h2>Days until the next purchase</h2>
<p>Asked after each order for which the next one lies in the validation part: how soon those come back who do.</p>
<div class="figures"><figure><h3>Mean absolute error</h3>${table(['Forecast', 'Days'], rows.map(([name, days]) => [name, days.toFixed(1)]))}</figure></div>
</section>`;
}

function renderWindows(windows: readonly WindowFigure[]): string {
  const rows = windows.map(({ days, lines, ndcg }) => [days === null ? 'all' : `${days} days`, count(lines), ndcg === null ? '–' : ndcg.toFixed(4)]);
  return `<section>
<h2>How much of the log to learn from</h2>
<p>Short trainings of the interest model on the days before validation, each measured on the same validation part.</p>
<div class="figures"><figure><h3>NDCG@10 by window</h3>${table(['Window', 'Lines', 'NDCG@10'], rows)}</figure></div>
</section>`;
}

function renderCurves({ model, lossName, metricName, epochs }: TrainingCurve): string {
  const rows = epochs.map(({ epoch, phase, loss, metric }) => [String(epoch), phase, loss.toFixed(4), ...(metricName === null ? [] : [metric === null ? '–' : metric.toFixed(4)])]);
  const numbers = table(['Epoch', 'Phase', lossName, ...(metricName === null ? [] : [metricName])], rows);
  const refitted = epochs.some(({ phase }) => phase === 'refit') ? 'Hollow points are of the refit through the validation period, which leaves nothing to measure on.' : '';
  return `<section>
<h2>Training: ${escape(model)}</h2>
<div class="figures">
${figure(lossName, plotCurve(epochs, 'loss', lossName), numbers, refitted)}
${metricName === null ? '' : figure(metricName, plotCurve(epochs, 'metric', metricName), numbers)}
</div>
</section>`;
}

/** A plot with its title and, beneath, the same numbers as a table. `note` is HTML. */
function figure(title: string, plot: string, numbers: string, note = ''): string {
  return `<figure><h3>${escape(title)}</h3>${plot}<figcaption>${note ? `<p>${note}</p>` : ''}<details><summary>Numbers<span class="hidden"> of ${escape(title)}</span></summary>${numbers}</details></figcaption></figure>`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th scope="col">${escape(text)}</th>`).join('');
  const body = rows.map(([first = '', ...rest]) => `<tr><th scope="row">${escape(first)}</th>${rest.map((text) => `<td>${escape(text)}</td>`).join('')}</tr>`).join('\n');
  return `<div class="scroll" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

const count = (value: number): string => value.toLocaleString('en');
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const estimate = ({ value, low, high }: Estimate): string => `${value.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}
