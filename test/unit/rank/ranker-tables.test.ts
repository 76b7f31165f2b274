import { describe, expect, it } from 'vitest';
import { PRICE_QUANTILES } from '../../../src/behaviour/sequence.ts';
import { parseSafetensors, writeSafetensors, type SafeTensor } from '../../../src/lib/safetensors.ts';
import { easeTensors, NO_OPTIONAL_TABLES, parseOptionalTables, sessionTensors, type OptionalTables } from '../../../src/rank/optional-tables.ts';
import { parseTables, tableTensors } from '../../../src/rank/ranker-tables.ts';
import type { RankerTables } from '../../../src/rank/ranker.ts';
import { newestSessions } from '../../../src/rank/simple/vmis-knn.ts';

const SIZES = { items: 3, text: 2 };
const ring = { offsets: Int32Array.of(0, 1, 2, 3), items: Uint16Array.of(1, 2, 0), weights: Float32Array.of(1, 0.5, 2) };
const tables: RankerTables = {
  transitions: ring,
  rules: ring,
  similarities: ring,
  popularity: Float32Array.of(3, 2, 1),
  priceQuantiles: new Float32Array(PRICE_QUANTILES),
  textMean: Float32Array.of(0.1, 0.2),
  neutralTexts: 20,
  repeats: { days: Float32Array.of(7, 0, 30), share: Float32Array.of(0.5, 0, 0.25) },
};
const optional: OptionalTables = {
  ease: { offsets: Int32Array.of(0, 2, 2, 3), items: Uint16Array.of(1, 2, 0), weights: Float32Array.of(0.5, -1, 0.25) },
  bilinear: Float32Array.of(1, 2, 3, 4),
  sessions: { items: Int32Array.of(0, 1, 1, 2, 0), offsets: Int32Array.of(0, 2, 5) },
};
const stored = (tensors: readonly (readonly [string, SafeTensor])[]) => parseSafetensors(writeSafetensors(tensors));
const sessions = stored(sessionTensors(optional.sessions!, SIZES.items));
const bilinear: [string, SafeTensor] = ['text.bilinear', { dtype: 'F32', shape: [2, 2], values: optional.bilinear! }];
const written = stored([...tableTensors(tables), ...easeTensors(optional.ease!), bilinear]);

describe('the tables of a pack', () => {
  it('come back as they were; EASE’s weights to within half a step of 1/127', () => {
    expect(parseTables(written, SIZES)).toEqual(tables);
    const { ease, ...rest } = parseOptionalTables(written, sessions, SIZES);
    const { ease: before, ...others } = optional;
    expect(rest).toEqual(others);
    expect([ease!.offsets, ease!.items]).toEqual([before!.offsets, before!.items]);
    ease!.weights.forEach((weight, k) => expect(Math.abs(weight - before!.weights[k]!)).toBeLessThanOrEqual(0.5 / 127));
  });

  it('are null where the pack lacks them: older packs do', () => {
    const old = stored(tableTensors({ ...tables, repeats: null }));
    expect(parseTables(old, SIZES).repeats).toBeNull();
    expect(parseOptionalTables(old, null, SIZES)).toEqual(NO_OPTIONAL_TABLES);
  });

  it('are refused where they are not of this catalogue', () => {
    const invalid = expect.objectContaining({ code: 'PACK_INVALID' }) as Error;
    expect(() => parseTables(written, { ...SIZES, items: 2 })).toThrow(invalid);
    for (const wrong of [{ ...SIZES, items: 2 }, { ...SIZES, text: 3 }]) expect(() => parseOptionalTables(written, null, wrong)).toThrow(invalid);
    expect(() => parseOptionalTables(written, stored(sessionTensors({ items: Int32Array.of(0, 3), offsets: Int32Array.of(0, 2) }, 3)), SIZES)).toThrow(invalid);
    const [items, lengths] = sessionTensors(optional.sessions!, SIZES.items);
    expect(() => parseOptionalTables(written, stored([items!, ['sessions.lengths', { ...lengths![1], shape: [1], values: Uint8Array.of(2) } as SafeTensor]]), SIZES)).toThrow(invalid);
    for (const missing of ['rules.weights', 'ease.weights', 'ease.scale', 'repeats.share', 'transitions.items']) {
      const rest = new Map([...written].filter(([name]) => name !== missing));
      expect(() => [parseTables(rest, SIZES), parseOptionalTables(rest, null, SIZES)], missing).toThrow(invalid);
    }
  });

  it('publish the newest sessions, in order of time, each item once and nothing else', () => {
    const log = { items: Int32Array.of(0, 1, 2, 2, 1, 2, 1, 0, 2), offsets: Int32Array.of(0, 2, 4, 7, 9) };
    expect(newestSessions(log, 2)).toEqual({ items: Int32Array.of(1, 2, 0, 2), offsets: Int32Array.of(0, 2, 4) });
    expect(newestSessions(log, 9).offsets).toHaveLength(4); // one session has a single item
    expect(sessionTensors(newestSessions(log, 9), 3).map(([name]) => name)).toEqual(['sessions.items', 'sessions.lengths']);
  });
});
