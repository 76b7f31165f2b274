import { describe, expect, it } from 'vitest';
import { groupByHistory, groupByPopularity, groupByText, type QueryGroups } from '../../../src/evaluate/groups.ts';

const labelled = ({ labels, of }: QueryGroups): (string | undefined)[] => Array.from(of, (group) => labels[group]);

describe('groups of targets', () => {
  it('by history', () => {
    expect(labelled(groupByHistory(Int32Array.of(1, 2, 4, 5, 199, 200, 5_000)))).toEqual(['1', '2–4', '2–4', '5–9', '50–199', '200+', '200+']);
  });

  it('by popularity: quarters, and what was never seen apart', () => {
    const { labels, of } = groupByPopularity([0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(labels).toEqual(['0', '1–2', '3–4', '5–6', '7+']);
    expect([...of]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(labelled(groupByPopularity([1, 1, 1]))).toEqual(['1+', '1+', '1+']);
  });

  it('by text, the most frequent first; many values are cut to twenty groups', () => {
    expect(groupByText('country', ['DE', 'UK', '', 'UK']).labels).toEqual(['UK', '(empty)', 'DE']);
    const many = groupByText('brand', Array.from({ length: 60 }, (_, at) => `b${at < 40 ? at % 8 : at}`));
    expect(many.labels).toHaveLength(20);
    expect(many.labels.at(-1)).toBe('(other)');
    expect(labelled(many).filter((label) => label === '(other)')).toHaveLength(9);
  });

  it('by quarters of a column of numbers', () => {
    const { labels, of } = groupByText('price', ['', ...Array.from({ length: 40 }, (_, at) => String(at / 2))]);
    expect(labels).toEqual(['0 to below 5', '5 to below 10', '10 to below 15', '15 or more', '(empty)']);
    expect(of[0]).toBe(4);
    expect([...of].filter((group) => group === 1)).toHaveLength(10);
  });
});
