import { element } from '../shop/element.ts';

const CELLS = 64;

/** A vector as a strip of colour: blue below zero, amber above, as strong as it is large. Neighbours share a cell. */
export function heatStrip(values: readonly number[], label: string): HTMLElement {
  const perCell = Math.max(1, Math.ceil(values.length / CELLS));
  const cells = Array.from({ length: Math.ceil(values.length / perCell) }, (_, cell) => {
    const part = values.slice(cell * perCell, (cell + 1) * perCell);
    // The one that stands out, not the mean: means of a vector's neighbours are all grey.
    return part.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  });
  const most = cells.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-9);
  const strip = element('span', { class: 'strip', role: 'img', 'aria-label': `${label}, ${values.length} numbers` });
  for (const value of cells) {
    const cell = element('i');
    cell.style.setProperty('--strength', `${Math.round((Math.abs(value) / most) * 100)}%`);
    cell.className = value < 0 ? 'cold' : 'warm';
    strip.append(cell);
  }
  return strip;
}

const WIDTH = 300;
const HEIGHT = 72;
const MARGIN = 8;

/** Weekly sales as a line, and next week's forecast as a point beyond it. */
export function trendLine(values: readonly (number | null)[], forecast: number | null): SVGSVGElement {
  const most = Math.max(1, forecast ?? 0, ...values.map((value) => value ?? 0));
  const x = (week: number): number => MARGIN + (week / Math.max(1, values.length)) * (WIDTH - 2 * MARGIN);
  const y = (units: number): number => HEIGHT - MARGIN - (units / most) * (HEIGHT - 2 * MARGIN);
  const points = values.flatMap((value, week) => (value === null ? [] : [`${x(week).toFixed(1)},${y(value).toFixed(1)}`]));
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'trend', role: 'img', 'aria-label': `Weekly sales, the last ${values.at(-1) ?? 0}; next week ${forecast === null ? 'unknown' : forecast.toFixed(1)}` });
  svg.append(shape('line', { x1: MARGIN, x2: WIDTH - MARGIN, y1: y(0), y2: y(0), class: 'trend-ground' }), shape('polyline', { points: points.join(' '), class: 'trend-line' }));
  if (forecast !== null) {
    const last = points.at(-1)?.split(',') ?? [];
    if (last[0] !== undefined && last[1] !== undefined) svg.append(shape('line', { x1: last[0], y1: last[1], x2: x(values.length), y2: y(forecast), class: 'trend-next' }));
    svg.append(shape('circle', { cx: x(values.length), cy: y(forecast), r: 4, class: 'trend-point' }));
  }
  return svg;
}

function shape<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string | number>>): SVGElementTagNameMap[K] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
