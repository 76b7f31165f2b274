import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Calibration, CurvePoint, Grouping, RankerFigures } from './report-data.ts';

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Drawn as wide as a phone's page, so that words keep a readable size there; wider pages show more plots beside each other. */
const WIDTH = 400;
const HEIGHT = 250;
/** The page's style sheet defines them, for light and dark. */
const OURS = 'var(--ours)';
const OTHERS = 'var(--others)';
const SERIES = [OURS, 'var(--series-2)', 'var(--series-3)', 'var(--series-4)'];
const SYMBOLS = ['circle', 'square', 'triangle', 'diamond'] as const;
const FONT = { fontSize: '12px' };
const BASE = { document, width: WIDTH, height: HEIGHT, style: FONT, marginLeft: 52, marginRight: 16, marginBottom: 42, marginTop: 28, insetTop: 6 };

/** A value per epoch as SVG; the points of a refit are hollow. */
export function plotCurve(epochs: readonly CurvePoint[], value: 'loss' | 'metric', name: string): string {
  const points = epochs.filter((point) => point[value] !== null);
  return toSvg(`${name} per epoch`, {
    ...BASE,
    x: { label: 'Epoch', ticks: Math.min(10, points.length), tickFormat: 'd', inset: 8 },
    y: { label: name, grid: true, nice: true, ticks: 5 },
    marks: [
      Plot.lineY(points, { x: 'epoch', y: value, z: 'phase', stroke: OURS, strokeWidth: 2 }),
      Plot.dot(points, { x: 'epoch', y: value, r: 4, stroke: OURS, strokeWidth: 2, fill: (point: CurvePoint) => (point.phase === 'refit' ? 'var(--surface)' : OURS) }),
    ],
  });
}

/** Each ranker's mean with its interval as SVG, best first. */
export function plotRankers(rankers: readonly RankerFigures[], metric: string, ours: string): string {
  const rows = rankers.map(({ name, metrics }) => ({ name, ...metrics[metric]!, colour: name === ours ? OURS : OTHERS }));
  return toSvg(`${metric} of each ranker with 95 % intervals`, {
    ...BASE,
    height: 70 + 26 * rows.length,
    marginLeft: 132,
    x: { label: `${metric} →`, grid: true, nice: true, zero: true, ticks: 5 },
    y: { label: null, domain: rows.map(({ name }) => name), tickSize: 0 },
    marks: [
      Plot.ruleX([0]),
      Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'name', stroke: 'colour', strokeWidth: 2 }),
      Plot.dot(rows, { x: 'value', y: 'name', fill: 'colour', r: 5 }),
    ],
  });
}

/** A metric by kind of query as SVG, ours and the best of the others, told apart by colour and by shape. */
export function plotGrouping({ by, groups }: Grouping, metric: string, names: readonly string[]): string {
  const rows = groups.flatMap(({ label, rankers }) => names.flatMap((name) => (rankers[name] ? [{ label, name, ...rankers[name] }] : [])));
  const domain = names.slice(0, SERIES.length);
  return toSvg(`${metric} by ${by.toLowerCase()}`, {
    ...BASE,
    x: { type: 'point', label: by, domain: groups.map(({ label }) => label), inset: 12 },
    y: { label: metric, grid: true, zero: true, nice: true, ticks: 5 },
    color: { domain, range: SERIES },
    symbol: { domain, range: [...SYMBOLS] },
    marks: [
      Plot.ruleY([0]),
      Plot.ruleX(rows, { x: 'label', y1: 'low', y2: 'high', stroke: 'name', strokeOpacity: 0.5 }),
      Plot.lineY(rows, { x: 'label', y: 'value', stroke: 'name', z: 'name', strokeWidth: 1.5 }),
      Plot.dot(rows, { x: 'label', y: 'value', fill: 'name', symbol: 'name', r: 4.5 }),
    ],
  });
}

/** The series of `plotGrouping` by name, as small SVG marks. */
export function plotKey(index: number): string {
  return toSvg('', {
    document,
    width: 14,
    height: 14,
    margin: 0,
    axis: null,
    x: { domain: [0, 1] },
    y: { domain: [0, 1] },
    marks: [Plot.dot([[0.5, 0.5]], { fill: SERIES[index]!, symbol: SYMBOLS[index]!, r: 4.5 })],
  });
}

/** Observed against predicted probability as SVG; a calibrated ranker lies on the diagonal. */
export function plotCalibration({ bins }: Calibration): string {
  const rows = bins.map(({ predicted, observed, count }) => ({ predicted, count, ...observed }));
  const most = Math.max(...rows.map(({ predicted, high }) => Math.max(predicted, high)));
  return toSvg('Observed share against predicted probability', {
    ...BASE,
    height: 320,
    x: { label: 'Predicted →', domain: [0, most], nice: true, ticks: 5 },
    y: { label: '↑ Observed', domain: [0, most], nice: true, grid: true, ticks: 5 },
    marks: [
      Plot.line(
        [
          [0, 0],
          [most, most],
        ],
        { stroke: OTHERS, strokeDasharray: '4 4' },
      ),
      Plot.ruleX(rows, { x: 'predicted', y1: 'low', y2: 'high', stroke: OURS, strokeWidth: 2 }),
      Plot.dot(rows, { x: 'predicted', y: 'value', fill: OURS, r: 4.5 }),
    ],
  });
}

/** Each ranker's share of the catalogue as SVG bars. */
export function plotCoverage(rankers: readonly RankerFigures[], ours: string): string {
  return toSvg('Share of the catalogue among first tens', {
    ...BASE,
    height: 70 + 26 * rankers.length,
    marginLeft: 132,
    x: { label: 'Share of items →', grid: true, nice: true, ticks: 5, tickFormat: '~%' },
    y: { label: null, domain: rankers.map(({ name }) => name), tickSize: 0, padding: 0.35 },
    marks: [Plot.barX(rankers, { x: 'coverage', y: 'name', fill: ({ name }: RankerFigures) => (name === ours ? OURS : OTHERS) }), Plot.ruleX([0])],
  });
}

function toSvg(label: string, options: Plot.PlotOptions): string {
  const svg = Plot.plot(options);
  const spoken = label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': 'true' };
  for (const [name, value] of Object.entries(spoken)) svg.setAttribute(name, value);
  for (const style of svg.querySelectorAll('style')) style.remove(); // the page's own sheet says the same once
  return svg.outerHTML;
}
